"""What Prometheus is told."""

from prometheus_client.parser import text_string_to_metric_families

from gateway import metrics


def test_every_metric_is_perezvons_and_readable_by_prometheus() -> None:
    metrics.ami_link_up.labels(connector="pbx1").set(1)
    metrics.http_requests_total.labels(route="/api/v1/cards/{id}", status="200").inc()
    families = {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}
    assert all(name.startswith("perezvon_") for name in families)
    links = families["perezvon_ami_link_up"].samples
    (sample,) = [one for one in links if one.labels["connector"] == "pbx1"]
    assert (sample.labels, sample.value) == ({"connector": "pbx1"}, 1.0)
    assert "perezvon_process_resident_memory_bytes" in families


def test_every_metric_says_what_it_is() -> None:
    for family in text_string_to_metric_families(metrics.render().decode()):
        assert family.documentation, family.name
