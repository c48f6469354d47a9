// SPDX-License-Identifier: Apache-2.0
// What the constructors of keys write.
#include "store/keys.h"

#include "alert/keys.h"
#include "tests/tap.h"

#define AR STR("111122223333/us-east-1")

int main(void)
{
	struct buf b = BUF_INIT, member = BUF_INIT;
	is_str(key_acct_regions(&b, "nowcast").p, "nowcast:acct_regions", "a key of the whole Redis");
	is_str(key_session(&b, "p", STR("ASIAKEY")).p, "p:session:ASIAKEY", "with a name behind it");
	is_str(key_acct_region(&b, "p", AR).p, "p:{111122223333/us-east-1}",
	       "an account and Region is a hash tag");
	is_str(key_due(&b, "p", AR).p, "p:{111122223333/us-east-1}:due", "a key of it");
	is_str(key_cells(&b, "p", AR, 498245, STR("a5476796570a539e")).p,
	       "p:{111122223333/us-east-1}:cells:498245:a5476796570a539e", "of an hour and model");
	is_str(key_names(&b, "p", AR, 83036).p, "p:{111122223333/us-east-1}:names:83036", "of a bucket");
	is_str(key_member(&member, 498245, STR("m:0")).p, "2026-11-03T05:m:0", "a member of an index");
	is_str(key_usage(&b, "p", AR, buf_str(&member)).p, "p:{111122223333/us-east-1}:usage:2026-11-03T05:m:0",
	       "and its entry");
	is_str(key_staged(&b, "p", AR, 7, buf_str(&member)).p,
	       "p:{111122223333/us-east-1}:staged:7:2026-11-03T05:m:0", "and that of a run");
	is_str(key_asof(&b, "p", 498245).p, "p:asof:2026-11-03T05", "a snapshot's note");
	is_str(key_acct_region_asof(&b, "p", AR, 498245).p, "p:{111122223333/us-east-1}:asof:2026-11-03T05",
	       "and the snapshot");
	is_str(alert_key(&b, "p", ALERT_KEY_UP).p, "p:alerts", "alerts that are up");
	is_str(alert_key(&b, "p", ALERT_KEY_DEAD).p, "{p:alerts}:dead",
	       "all else of the alerts has one hash tag");
	is_str(alert_key_bill(&b, "p",
	                      STR("a-name-of-more-than-sixty-bytes-which-no-rule-should-have-but-one-might"))
	           .p,
	       "{p:alerts}:bill:a-name-of-more-than-sixty-bytes-which-no-rule-should-have-bu",
	       "of a long name the start is taken");
	buf_release(&b);
	buf_release(&member);
	return done();
}
