"""A layer before moto that holds Secrets Manager to its documentation, and fails where moto strays from it.

Each request is judged by `DocumentedService` before moto sees it: what the service is documented
to refuse is refused here.  What moto did is compared with what the documentation says; where they
differ the client gets a 500 that begins with `STRICT`, and so does the test when it ends.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import threading
from collections import Counter, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.aws.documented_secret import PENDING, Refused
from tests.aws.documented_service import DocumentedService, Undocumented
from tests.aws.faults import Answers, Breaks, Fault, Stalls
from tests.aws.grants import Grants

_TARGET = re.compile(r"secretsmanager\.(\w+)")
_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([a-z0-9-]+)/")
_CHANGES = {"CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"}


def scope_of(headers: dict[str, str]) -> tuple[str, str]:
    """Return whose access key signed a request, and for which region."""
    scope = _SCOPE.search(headers.get("Authorization", ""))
    return (scope[1], scope[2]) if scope else ("", "us-east-1")


class StrictSecretsManager:
    """moto at `upstream`, held to the documentation; to be used as a context, which fails if it strayed.

    `requests` are (operation, parameters) as they came; `script` says what befalls the next ones of
    an operation, and `down` are regions that answer nobody.
    Requests are carried out one at a time, so that every race has one winner.
    """

    def __init__(self, upstream: str, *, quota: int | None = None) -> None:
        self.upstream = urlsplit(upstream)
        self.strayed: list[str] = []
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.regions_asked: list[str] = []
        self.script: dict[str, deque[Fault | None]] = {}
        self.down: set[str] = set()
        self.grants = Grants()
        self.ended = threading.Event()
        self._quota = quota
        self._regions: dict[str, DocumentedService] = {}
        self._one_at_a_time = threading.RLock()
        layer = self

        class Handler(_Handler):
            owner = layer

        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._listener.daemon_threads = True
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Where the layer listens."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which AWS's own chain leads a process here, with credentials that mean nothing."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "of a stand-in",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def region(self, name: str = "us-east-1") -> DocumentedService:
        """Return what the documentation says of a region's secrets now."""
        return self._regions.setdefault(name, DocumentedService(self._quota))

    def next(self, operation: str, *faults: Fault | None) -> None:
        """Let these befall the next requests of that operation, one after another; None lets one pass."""
        self.script.setdefault(operation, deque()).extend(faults)

    def fault_for(self, operation: str, headers: dict[str, str]) -> Fault | None:
        """Return what befalls a request that has just come."""
        if scope_of(headers)[1] in self.down:
            return Breaks(carried_out=False)
        waiting = self.script.get(operation)
        return waiting.popleft() if waiting else None

    def count(self) -> Counter[str]:
        """Return how many requests came of each operation."""
        return Counter(operation for operation, _ in self.requests)

    def answer(
        self, operation: str, asked: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """Return status and body for one request."""
        with self._one_at_a_time:
            key, region = scope_of(headers)
            self.regions_asked.append(region)
            service = self.region(region)
            try:
                self.grants.require(key, operation, service.name_of(asked), asked)
                return 200, self._carry_out(service, operation, asked, headers)
            except Refused as refused:
                return 400, {"__type": refused.code, "Message": refused.message}
            except Undocumented as strayed:
                self.strayed.append(f"{operation}: {strayed}")
                return 500, {"__type": "InternalServiceError", "Message": f"STRICT {operation}: {strayed}"}
            except Exception as bug:  # a fault of the layer itself must not look like the network's
                self.strayed.append(f"{operation}: {bug!r}")
                return 500, {"__type": "InternalServiceError", "Message": f"STRICT {operation}: {bug!r}"}

    def unsigned(self, region: str) -> dict[str, str]:
        """Return the headers of a request that a test makes by itself."""
        scope = f"Credential=test/20260101/{region}/secretsmanager/aws4_request"
        return {
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 {scope}",
        }

    def ask(
        self, operation: str, asked: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """Return moto's own status and body, unjudged."""
        connection = http.client.HTTPConnection(self.upstream.hostname or "", self.upstream.port, timeout=30)
        sent = {key: it for key, it in headers.items() if key.lower() not in {"content-length", "host"}}
        try:
            connection.request(
                "POST",
                "/",
                json.dumps(asked).encode(),
                sent | {"X-Amz-Target": f"secretsmanager.{operation}"},
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    def _carry_out(
        self, service: DocumentedService, operation: str, asked: dict[str, Any], headers: dict[str, str]
    ) -> dict[str, Any]:
        known = service.admit(operation, asked)
        if operation == "RotateSecret":
            self._tell_of_rotation(service, asked, headers)
        if known is not None:
            return known
        status, body = self.ask(operation, asked, headers)
        if status >= 300 and service.name_of(asked) not in service.planted:
            raise Undocumented(f"moto refuses what is documented to succeed: {status} {body}")
        if status >= 300:
            raise Refused(str(body.get("__type", status)), str(body.get("Message") or body.get("message")))
        body = service.done(operation, asked, body)
        for replica in asked.get("AddReplicaRegions", ()):
            name = service.name_of(asked)
            self.region(replica["Region"]).hold_replica(name, service.secrets[name])
        if operation in _CHANGES:
            name = service.name_of(asked)
            service.require_agreement(name, self.ask("DescribeSecret", {"SecretId": name}, headers)[1])
        return body

    def _tell_of_rotation(
        self, service: DocumentedService, asked: dict[str, Any], headers: dict[str, str]
    ) -> None:
        """Let moto, which is not asked to rotate, take AWSPENDING off the version that bore it before."""
        told = self.ask("DescribeSecret", {"SecretId": service.name_of(asked)}, headers)[1]
        for version, labels in told.get("VersionIdsToStages", {}).items():
            if PENDING in labels:
                taken = {
                    "SecretId": asked["SecretId"],
                    "VersionStage": PENDING,
                    "RemoveFromVersionId": version,
                }
                self.ask("UpdateSecretVersionStage", taken, headers)

    def forget(self) -> None:
        """Forget requests and faults, and fail if moto strayed since the last time."""
        self.requests.clear()
        self.regions_asked.clear()
        self.script.clear()
        self.down.clear()
        self.grants = Grants()
        strayed, self.strayed = self.strayed, []
        assert not strayed, f"undocumented: {strayed}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()
        if kind is None:
            self.forget()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: StrictSecretsManager

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(size)
        if len(content) < size:
            self.close_connection = True  # whoever asked has died
            return
        target = _TARGET.fullmatch(self.headers.get("X-Amz-Target", ""))
        if target is None:
            self._send(500, {"Message": "STRICT: only Secrets Manager is behind this layer"})
            return
        operation, asked = target[1], json.loads(content)
        self.owner.requests.append((operation, asked))
        fault = self.owner.fault_for(operation, dict(self.headers))
        if isinstance(fault, Answers):
            self._send(fault.status, {"__type": fault.code, "Message": fault.message})
            return
        if fault is None or fault.carried_out:
            status, body = self.owner.answer(operation, asked, dict(self.headers))
        if isinstance(fault, Stalls):
            self.owner.ended.wait(30)
        if isinstance(fault, Breaks | Stalls):
            self.close_connection = True
            return
        self._send(status, body)

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""
