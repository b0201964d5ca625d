# shellcheck shell=bash
# What the profile `observability` shows of the composed system.

observed() {
    chapter "What Prometheus sees: every instance, every rule"
    # Instances that came are found within its refresh and read within its interval.
    eventually "it reads all ten instances of the services" 90 observed_instances tenantatlas 10
    eventually "and the broker" 60 observed_instances rabbitmq 1
    expect "rules that it judges, all of them" "$(grep -c -- '- alert:' "$COMPOSED/alerts.yaml") ok" \
        "$(observed_get rules | jq -r '[.data.groups[].rules[].health] | group_by(.)[] | "\(length) \(.[0])"')"
    eventually "each family has a figure" 60 observed_families
    eventually "what lies in the queues is seen" 60 observed_queues
}

# observed_get PATH: an answer of its API.
observed_get() { curl -fs --max-time 5 "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/$1"; }

# observed_instances JOB COUNT: that many are read, and all of them answer.
observed_instances() {
    [[ "$(observed_get targets | jq -r --arg job "$1" \
        '[.data.activeTargets[] | select(.labels.job == $job) | .health] | group_by(.)[] | "\(length) \(.[0])"')" == "$2 up" ]]
}

observed_families() {
    [[ "$(observed_get 'query?query=max+by+(family)(tenantatlas_runs_queued)' |
        jq -r '[.data.result[].metric.family] | sort | join(" ")')" == "bulk inventory provider restore" ]]
}

observed_queues() {
    observed_get 'query?query=rabbitmq_detailed_queue_messages_ready' |
        jq -e '[.data.result[].metric.queue] | index("jobs.provider") and index("notifier.terminal")' >/dev/null
}
