"""
The same handler on crhelper, made idempotent by Powertools with RequestId as its key.

Powertools brings layers for DynamoDB and Redis; this one keeps the same records in SQLite, and
judges by virtual time whether one has lived for its hour, which is Powertools' default.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import (
    STATUS_CONSTANTS,
    DataRecord,
)

from ._crhelper import Context, helper_on
from ._external_api import ExternalApi

Deliver = Callable[[dict[str, Any]], dict[str, Any] | None]
SYNCHRONOUS = "NORMAL"  # as the ledger that it is compared with


class SQLiteLayer(BasePersistenceLayer):
    """Powertools' records, one row a key."""

    def __init__(self, path: Path, external_api: ExternalApi) -> None:
        super().__init__()
        self._external_api = external_api
        self._rows = sqlite3.connect(path, isolation_level=None)
        self._rows.execute("pragma journal_mode = wal")
        self._rows.execute(f"pragma synchronous = {SYNCHRONOUS}")
        self._rows.execute(
            "create table if not exists records (id text primary key, status text not null,"
            " expiry integer not null, data text not null) without rowid"
        )

    def _get_expiry_timestamp(self) -> int:
        return self._external_api.now + self.expires_after_seconds

    def _get_record(self, idempotency_key: str) -> DataRecord:
        query = "select status, data from records where id = ?"
        row = self._rows.execute(query, (idempotency_key,)).fetchone()
        if row is None:
            raise IdempotencyItemNotFoundError
        # Without an expiry: the record would hold it against the real clock.
        return DataRecord(idempotency_key, status=row[0], response_data=row[1])

    def _put_record(self, data_record: DataRecord) -> None:
        put = self._rows.execute(
            "insert into records values (?, ?, ?, '') on conflict (id) do update"
            " set status = excluded.status, expiry = excluded.expiry, data = ''"
            " where records.expiry < ?",
            (
                data_record.idempotency_key,
                STATUS_CONSTANTS["INPROGRESS"],  # a record of 2017 calls itself expired
                data_record.expiry_timestamp,
                self._external_api.now,
            ),
        )
        if not put.rowcount:
            raise IdempotencyItemAlreadyExistsError(
                old_data_record=self._get_record(data_record.idempotency_key)
            )

    def _update_record(self, data_record: DataRecord) -> None:
        self._rows.execute(
            "update records set status = ?, expiry = ?, data = ? where id = ?",
            (
                STATUS_CONSTANTS["COMPLETED"],
                data_record.expiry_timestamp,
                data_record.response_data,
                data_record.idempotency_key,
            ),
        )

    def _delete_record(self, data_record: DataRecord) -> None:
        self._rows.execute("delete from records where id = ?", (data_record.idempotency_key,))


def provider(external_api: ExternalApi, folder: Path) -> Deliver:
    """Return what takes a delivery, and gives the answer to it."""
    helper, context = helper_on(external_api), Context()

    @idempotent(
        config=IdempotencyConfig(event_key_jmespath="RequestId"),
        persistence_store=SQLiteLayer(folder / "records.sqlite3", external_api),
    )
    def handler(event: dict[str, Any], context: Any) -> None:
        helper(event, context)

    def deliver(event: dict[str, Any]) -> dict[str, Any] | None:
        helper.answer = None
        handler(event, context)
        return helper.answer

    return deliver
