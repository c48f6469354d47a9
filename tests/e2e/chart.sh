#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Helm chart: helm lint has no complaint, what it renders has the form that Kubernetes and the operators take, its configuration
# is one that nowcast takes, and what cannot work is refused with a reason. Skipped without Helm (deploy/install-deps --chart).
# The form is checked with SCHEMAS=1 (`make chart`): it takes half a minute.
. "$(dirname "$0")/../lib.sh"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/nowcast
helm=$(command -v helm || find "$cache" -path '*/helm-*/helm' 2>/dev/null | tail -n 1)
[ -n "$helm" ] || skip_all "no helm: deploy/install-deps --chart builds it"
chart=deploy/helm/nowcast
render() { "$helm" template spend "$chart" --namespace finops --kube-version 1.31 "$@" 2>"$T/err"; }
refuses() { # NAME PATTERN ARGUMENT...
	local name=$1 pattern=$2
	shift 2
	render "$@" >/dev/null && { result 1 "$name"; return; }
	has "$name" "$(cat "$T/err")" "$pattern"
}

is "the chart has the version of the program" "$(sed -nE 's/^(version|appVersion): "?([^"]*)"?/\2/p' $chart/Chart.yaml | sort -u)" "$(cat VERSION)"
cat >"$T/all.yaml" <<'END'
config: {brokers: "kafka-0:9092,kafka-1:9092", topics: "cloudtrail,cloudwatch", redis: "rediss://valkey:6380", batch.records: 20000, alerts.memory: 128MiB, map.file: /etc/nowcast/files/map.csv}
files: {map.csv: "kind,name,team\nrole,agent,search\n"}
secrets: {existingSecret: nowcast-secrets}
tokens: {existingSecret: nowcast-tokens}
env: [{name: AWS_REGION, value: us-east-1}]
envFrom: [{secretRef: {name: aws}}]
imagePullSecrets: [{name: registry}]
serviceAccount: {annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/nowcast"}}
autoscaling: {enabled: true, keda: {metadata: {tls: enable}, authenticationRef: kafka}}
reconcile: {enabled: true, source: "s3://bills/exports/nowcast", cache: {existingClaim: bills}}
serviceMonitor: {enabled: true, labels: {release: prometheus}, token: {existingSecret: prometheus-token}}
prometheusRule: {enabled: true}
networkPolicy: {from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}
workers: {nodeSelector: {disk: fast}, tolerations: [{operator: Exists}], affinity: {podAntiAffinity: {}}}
END
printf 'tokens: {existingSecret: t}\n' >"$T/least.yaml"
printf 'tokens: {existingSecret: t}\nautoscaling: {enabled: true, kind: hpa, hpa: {selector: {consumergroup: nowcast}}}\nserve: {enabled: false}\nnetworkPolicy: {enabled: false}\npodDisruptionBudget: {enabled: false}\n' >"$T/hpa.yaml"
schemas=$(find "$cache" -path '*/kubernetes-schemas-*/ready' 2>/dev/null | tail -n 1)
for values in all least hpa; do
	ok "$values: helm lint" "$helm" lint --strict --quiet --kube-version 1.31 -f "$T/$values.yaml" "$chart"
	render -f "$T/$values.yaml" >"$T/$values.out"
	result $? "$values: it is rendered" || sed 's/^/# /' "$T/err"
	if [ -n "${SCHEMAS:-}" ]; then
		[ -n "$schemas" ] || bail "no schemas of Kubernetes: deploy/install-deps --chart fetches them"
		for kubernetes in 1.27.0 1.37.0; do
			has "$values: its objects have the form of Kubernetes $kubernetes" "$("${schemas%ready}bin/python" tests/support/chart_objects.py --kubernetes $kubernetes <"$T/$values.out" 2>&1 | xargs)" '^[0-9]+ objects$'
		done
	fi
done
kinds() { sed -n 's/^kind: //p' "$T/$1.out" | sort | uniq -c | awk '{ print $1 $2 }' | xargs; } # VALUES
is "all of it" "$(kinds all)" "2ConfigMap 1CronJob 2Deployment 1NetworkPolicy 2PodDisruptionBudget 1PrometheusRule 1ScaledObject 1Service 1ServiceAccount 1ServiceMonitor"
is "the least" "$(kinds least)" "1ConfigMap 2Deployment 1NetworkPolicy 2PodDisruptionBudget 1Service 1ServiceAccount"
is "another autoscaler" "$(kinds hpa)" "1ConfigMap 1Deployment 1HorizontalPodAutoscaler 1ServiceAccount"
is "who scales says how many" "$(grep -c '^  replicas:' "$T/all.out") $(grep -c '^  replicas:' "$T/least.out")" "1 2"

# --- what the containers get
sed -n '/nowcast.conf: |/,/^---/p' "$T/all.out" | sed -n 's/^    //p' >"$T/nowcast.conf"
printf 'kind,name,team\nrole,agent,search\n' >"$T/map.csv"
ok "its configuration is one of nowcast" "$nowcast" check-config --config "$T/nowcast.conf" --map-file "$T/map.csv"
has "a number stays as it was written" "$(cat "$T/nowcast.conf")" '^batch\.records = 20000$'
for word in 'readOnlyRootFilesystem: true' 'allowPrivilegeEscalation: false' 'capabilities: {drop: \[ALL\]}' 'runAsNonRoot: true' 'enableServiceLinks: false'; do
	is "each of the three pods has $word" "$(grep -c "^ *$word" "$T/all.out")" 3
done
is "no secret is in the objects" "$(grep -ciE 'kind: Secret|password' "$T/all.out")" 0
render -f "$T/all.yaml" --set config.group=other >"$T/other.out"
is "other configuration makes new pods" "$(diff <(grep checksum "$T/all.out") <(grep checksum "$T/other.out") | grep -c '^>')" 2
is "every rule of deploy/alert-rules.yml, with its templates" "$(grep -cE '^ +(- )?alert: ' "$T/all.out") $(grep -cF '{{ $labels.instance }}' "$T/all.out")" \
	"$(grep -c -- '- alert: ' deploy/alert-rules.yml) $(grep -cF '{{ $labels.instance }}' deploy/alert-rules.yml)"

# --- what cannot work
refuses "without tokens: the secret is named" 'tokens.existingSecret'
refuses "a value that is misspelled" 'worker' -f "$T/least.yaml" --set worker.replicas=3
refuses "a key that the chart sets" 'config: listen is set by the chart' -f "$T/least.yaml" --set config.listen=x
refuses "the bill in each worker" 'reconcile.enabled' -f "$T/least.yaml" --set 'config.reconcile\.source=s3://a/b'
refuses "reconcile without a bill" 'reconcile.source: ' -f "$T/least.yaml" --set reconcile.enabled=true
refuses "KEDA without brokers" 'config.brokers' -f "$T/least.yaml" --set autoscaling.enabled=true

# --- the package
ok "it is packaged" deploy/make-chart --output "$T/one"
sleep 1 # another second
ok "once more" deploy/make-chart --output "$T/two"
same_file "the same bytes" "$T/two/nowcast-$(cat VERSION).tgz" "$T/one/nowcast-$(cat VERSION).tgz"
mkdir "$T/bin"
for name in bash dirname sed cat find sort tail; do ln -s "$(command -v $name)" "$T/bin/"; done
fails 1 "without helm" env XDG_CACHE_HOME="$T/none" PATH="$T/bin" deploy/make-chart --output "$T/none"
has "it is said" "$(cat "$T/err")" "no helm: deploy/install-deps --chart"
finish
