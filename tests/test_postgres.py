"""The throw-away server that other tests use."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from tests.postgres import FreshDatabase


def test_each_database_is_fresh_and_holds_chinese(postgres: FreshDatabase) -> None:
    first, second = postgres(), postgres()
    assert first != second
    for url in (first, second):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("create table words (said text)"))
            connection.execute(text("insert into words values ('请客户坐下')"))
            assert connection.execute(text("select said from words")).scalars().all() == ["请客户坐下"]
        engine.dispose()
