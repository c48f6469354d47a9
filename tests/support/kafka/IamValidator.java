// SPDX-License-Identifier: Apache-2.0
// What a broker of Amazon MSK does with the token of a client, for a broker of Apache Kafka: it is a presigned URL
// (Signature Version 4), whose signature this computes again with the secret key in the property iam.secret.
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.*;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.*;

public class IamValidator implements AuthenticateCallbackHandler {
    static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {}

    public void close() {}

    static byte[] hmac(byte[] key, String text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    static String sha256(String text) throws Exception {
        return hex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    static OAuthBearerToken check(String token) throws Exception {
        URI url = new URI(new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8));
        TreeMap<String, String> raw = new TreeMap<>();
        for (String pair : url.getRawQuery().split("&")) {
            int at = pair.indexOf('=');
            raw.put(pair.substring(0, at), pair.substring(at + 1));
        }
        String signature = raw.remove("X-Amz-Signature");
        if (!raw.containsKey("User-Agent")) throw new Exception("no user agent");
        raw.remove("User-Agent");
        StringJoiner query = new StringJoiner("&");
        raw.forEach((name, value) -> query.add(name + "=" + value));
        String[] credential = URLDecoder.decode(raw.get("X-Amz-Credential"), StandardCharsets.UTF_8).split("/", 2);
        String scope = credential[1];
        String[] words = scope.split("/");
        String time = raw.get("X-Amz-Date");
        if (!url.getHost().equals("kafka." + words[1] + ".amazonaws.com") || !words[2].equals("kafka-cluster"))
            throw new Exception("signed for " + url.getHost() + ", " + scope);
        if (!raw.get("Action").equals("kafka-cluster%3AConnect")) throw new Exception("signed for " + raw.get("Action"));
        String request = "GET\n/\n" + query + "\nhost:" + url.getHost() + "\n\nhost\n" + sha256("");
        byte[] key = ("AWS4" + System.getProperty("iam.secret")).getBytes(StandardCharsets.UTF_8);
        for (String word : words) key = hmac(key, word);
        if (!hex(hmac(key, "AWS4-HMAC-SHA256\n" + time + "\n" + scope + "\n" + sha256(request))).equals(signature))
            throw new Exception("the signature is wrong");
        long from = Instant.from(TIME.parse(time)).toEpochMilli();
        long until = from + 1000L * Integer.parseInt(raw.get("X-Amz-Expires"));
        if (System.currentTimeMillis() >= until) throw new Exception("expired");
        return new OAuthBearerToken() {
            public String value() { return token; }
            public Set<String> scope() { return Set.of(); }
            public long lifetimeMs() { return until; }
            public String principalName() { return credential[0]; }
            public Long startTimeMs() { return from; }
        };
    }

    public void handle(Callback[] callbacks) {
        for (Callback c : callbacks) {
            if (!(c instanceof OAuthBearerValidatorCallback)) continue;
            OAuthBearerValidatorCallback v = (OAuthBearerValidatorCallback) c;
            try {
                v.token(check(v.tokenValue()));
            } catch (Exception e) {
                System.err.println("IamValidator: " + e.getMessage());
                v.error("invalid_token", null, null);
            }
        }
    }
}
