#!/bin/sh
# Splunk's own samples: `curl.sh PORT TOKEN`. https://docs.splunk.com/Documentation/Splunk/latest/Data/HECExamples
set -eu
url="http://127.0.0.1:$1/services/collector"
authorization="Authorization: Splunk $2"
channel=00872DC6-AC83-4EDE-8AFE-8413C3825C4C

send() { curl --silent --show-error --fail-with-body "$@"; echo; }

send "$url/event" -H "$authorization" -d '{"event": "hello world", "source": "curl"}'
send "$url" -H "$authorization" \
    -d '{"event":"a","source":"curl","time":1437522387}{"event":"b","time":1437522388,"host":"h","source":"curl","fields":{"x":["1","2"]}}'
send "$url/event/1.0" -H "$authorization" \
    -d '[{"time": 1426279439, "event": {"message": "Something happened", "severity": "INFO"}, "host": "localhost", "source": "curl", "sourcetype": "txt", "index": "main"}]'
send -u "x:$2" "$url/raw?channel=$channel&sourcetype=mydata&source=curl&host=h&index=main" -d '1, 2, 3... Hello, world!
second line'
send -H "Authorization: Bearer $2" "$url/raw/1.0?source=curl" -H "X-Splunk-Request-Channel: $channel" -d '2025-08-11T22:24:37Z third line'
send "$url/health"
send "$url/health/1.0" -H "$authorization"
