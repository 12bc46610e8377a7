"""Messages made without Celery's producer are the messages that Celery's producer makes."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

from api.envelope import HIDDEN, EnvelopeFactory
from worker.celery_app import create_celery
from worker.contract import ONLINE_QUEUE, SCORE_TASK

ARGUMENT = {
    "v": 1,
    "sent": 1.5,
    "deadline": 2.5,
    "rows": [["ab", [65, 120, 85, 3, 14], None, None]],
}


def shape(value: Any) -> Any:
    """Keys and types, all the way down."""
    if isinstance(value, dict):
        return {key: shape(entry) for key, entry in value.items()}
    return [shape(entry) for entry in value] if isinstance(value, list) else type(value)


def test_the_envelope_is_what_celery_itself_pushes(redis_url: str) -> None:
    app = create_celery(redis_url)
    expires = datetime.now(UTC) + timedelta(seconds=1)
    with Redis.from_url(redis_url) as redis:
        redis.delete(ONLINE_QUEUE)
        app.send_task(
            SCORE_TASK,
            args=[ARGUMENT],
            queue=ONLINE_QUEUE,
            expires=expires,
            argsrepr=HIDDEN,
            kwargsrepr="{}",
            task_id="x.1",
            ignore_result=False,
        )
        theirs = json.loads(redis.lpop(ONLINE_QUEUE) or b"")
    factory = EnvelopeFactory(app, SCORE_TASK, ONLINE_QUEUE, "x")
    ours = json.loads(factory.build("x.1", ARGUMENT, expires.timestamp()))
    for option in (
        "argsrepr",
        "kwargsrepr",
        "expiration",
    ):  # repeated for AMQP; a Redis list ignores them
        del theirs["properties"][option]
    assert shape(ours) == shape(theirs)
    assert json.loads(base64.b64decode(ours["body"])) == json.loads(
        base64.b64decode(theirs["body"])
    )
    same = ("lang", "task", "id", "expires", "argsrepr", "kwargsrepr", "ignore_result", "timelimit")
    assert {k: ours["headers"][k] for k in same} == {k: theirs["headers"][k] for k in same}


def test_no_pattern_stands_where_flower_or_a_log_would_show_it() -> None:
    factory = EnvelopeFactory(create_celery("memory://"), SCORE_TASK, ONLINE_QUEUE, "x")
    headers = json.loads(factory.build("x.1", ARGUMENT, 1.0))["headers"]
    assert "120" not in json.dumps({k: v for k, v in headers.items() if k != "expires"})
    assert headers["argsrepr"] == HIDDEN


def test_each_message_has_a_delivery_tag_of_its_own() -> None:
    factory = EnvelopeFactory(create_celery("memory://"), SCORE_TASK, ONLINE_QUEUE, "x")
    tags = {
        json.loads(factory.build(f"x.{n}", None, 1.0))["properties"]["delivery_tag"]
        for n in range(50)
    }
    assert len(tags) == 50


def test_a_percent_sign_of_the_instances_name_stays_one() -> None:
    factory = EnvelopeFactory(create_celery("memory://"), SCORE_TASK, ONLINE_QUEUE, "50%(id)b")
    headers = json.loads(factory.build("x.1", None, 1.0))["headers"]
    assert (headers["id"], headers["origin"]) == ("x.1", "api@50%(id)b")
