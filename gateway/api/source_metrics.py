"""Each source in the words of Prometheus: is it up, when did it last answer, what was asked, what failed and why."""

from collections.abc import Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from gateway.api.house import SourceStatus

#: Counters by source: name, help, attribute of its status.
COUNTERS = (
    ("scans", "Scans delivered.", "scans"),
    ("samples", "Samples delivered.", "samples"),
    ("requests", "Requests sent, or messages received.", "requests"),
    ("skipped", "Requests not sent because the device is silent or there is no connection.", "skipped"),
    ("overruns", "Turns that began late or not at all.", "overruns"),
    ("reconnects", "Times that the link came back.", "reconnects"),
    ("crashes", "Times that its loop died of an error and was begun again.", "crashes"),
)


def source_families(sources: Sequence[SourceStatus]) -> list[Metric]:
    """Give the families; their labels are ``source``, ``protocol``, and ``reason`` or ``direction`` where needed."""
    labels = ["source", "protocol"]
    up = GaugeMetricFamily("fengsui_source_up", "1 when its link is up and it is not silent.", labels=labels)
    last = GaugeMetricFamily(
        "fengsui_source_last_success_timestamp_seconds", "When it last answered; 0 for never.", labels=labels
    )
    failed = CounterMetricFamily(
        "fengsui_source_failures", "Requests that gave no values, and callers not let in.", labels=[*labels, "reason"]
    )
    refused = CounterMetricFamily(
        "fengsui_source_refused", "Messages and values that went no further.", labels=[*labels, "reason"]
    )
    moved = CounterMetricFamily("fengsui_source_bytes", "Bytes of frames and payloads.", labels=[*labels, "direction"])
    counted = [CounterMetricFamily(f"fengsui_source_{name}", text, labels=labels) for name, text, _ in COUNTERS]
    for source in sources:
        who = [source.id, source.protocol]
        up.add_metric(who, float(source.is_up))
        last.add_metric(who, source.last_success_ns / 1e9)
        for family, (_, _, attribute) in zip(counted, COUNTERS, strict=True):
            family.add_metric(who, getattr(source, attribute))
        for reason, n in sorted(source.failures.items()):
            failed.add_metric([*who, reason], n)
        for reason, n in sorted(source.refused_by.items()):
            refused.add_metric([*who, reason], n)
        moved.add_metric([*who, "sent"], source.sent_bytes)
        moved.add_metric([*who, "received"], source.received_bytes)
    return [up, last, *counted, failed, refused, moved]
