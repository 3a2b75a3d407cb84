import structlog


def test_every_line_of_a_request_carries_its_id_and_never_the_path(web):
    seen = []

    @web.app.after_request
    def look(response):
        seen.append(structlog.contextvars.get_contextvars())
        return response

    web.anonymous().get("/link/secret-token", status=404)
    web.anonymous().get("/healthz")
    assert [bound["endpoint"] for bound in seen] == ["auth.use_link", "system.healthz"]
    assert seen[0]["request"] != seen[1]["request"]
    assert "secret-token" not in str(seen)
