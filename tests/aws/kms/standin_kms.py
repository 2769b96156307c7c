"""A stand-in for AWS KMS and the tagging API, over HTTP: what AWS documents of the operations that we use.

It is no KMS.  Its keys are real keys in this process, made and used by `cryptography`; which
requests it refuses follows the API reference, the table of key states and the key specs.  An
operation or parameter that is not written down here is an error, so that nothing goes unnoticed.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections import Counter, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.aws.documented_secret import Refused
from tests.aws.faults import Answers, Breaks, Fault, Stalls
from tests.aws.kms.kms_key import SPECS, KmsKey

Body = dict[str, Any]
_TARGET = re.compile(r"(TrentService|ResourceGroupsTaggingAPI_20170126)\.(\w+)")
_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([a-z0-9-]+)/")
_TAG_VALUE = re.compile(r"[\w .:/=+@-]{0,256}")
_PAGE = 3
"""Resources on a page of GetResources here, however many were asked for: fewer are allowed."""


class StandInKms:
    """Keys by id; `seconds` is its clock, which a test may turn on.

    `requests` are (operation, parameters); `script` says what befalls the next ones of an
    operation; `denied` are operations that nobody may do, and `unseen` counts how often a new key
    is not there yet, as eventual consistency allows.
    """

    def __init__(self) -> None:
        self.seconds = time.time()
        self.unseen = 0
        self.keys: dict[str, KmsKey] = {}
        self.requests: list[tuple[str, Body]] = []
        self.denied: set[str] = set()
        self.script: dict[str, deque[Fault | None]] = {}
        self.ended = threading.Event()
        self._lock = threading.RLock()
        standin = self

        class Handler(_Handler):
            owner = standin

        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._listener.daemon_threads = True
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def next(self, operation: str, *faults: Fault | None) -> None:
        """Let these befall the next requests of that operation; None lets one pass."""
        self.script.setdefault(operation, deque()).extend(faults)

    def count(self) -> Counter[str]:
        """Return how many requests came of each operation."""
        return Counter(operation for operation, _ in self.requests)

    def of(self, reference: str | None) -> KmsKey:
        """Return the key that a document refers to."""
        assert reference is not None
        return self.keys[reference.partition("#")[0].rpartition("/")[2]]

    def usable(self, keyring: str) -> set[str]:
        """Return the ARNs of a keyring's keys that are not going."""
        return {
            key.arn
            for key in self.keys.values()
            if key.tags.get("keyvault-jwt-keyring") == keyring and key.state != "PendingDeletion"
        }

    def answer(self, operation: str, asked: Body, authorization: str) -> tuple[int, Body]:
        """Return status and body for one request."""
        scope = _SCOPE.search(authorization)
        with self._lock:
            self.seconds += 0.001
            try:
                if operation in self.denied:
                    raise Refused(
                        "AccessDeniedException", f"User is not authorized to perform: kms:{operation}"
                    )
                rule = getattr(self, f"_{operation}")
                answered: Body = rule(asked, scope[2] if scope else "us-east-1")
            except Refused as refused:
                return 400, {"__type": refused.code, "message": refused.message}
            return 200, answered

    def key(self, asked: Body) -> KmsKey:
        """Return the key that a request names by id or ARN; ours never name one by an alias."""
        given = str(asked["KeyId"])
        assert "alias/" not in given, f"an alias was sent: {given}"
        found = self.keys.get(given.rpartition("/")[2])
        if found is None or given not in {found.id, found.arn}:
            raise Refused("NotFoundException", f"Key '{given}' does not exist")
        if self.unseen > 0:
            self.unseen -= 1
            raise Refused("NotFoundException", f"Key '{given}' does not exist")
        return found

    # --- operations ------------------------------------------------------------------------

    def _CreateKey(self, asked: Body, region: str) -> Body:
        _only(asked, {"KeySpec", "KeyUsage", "Description", "Tags", "Policy"})
        if asked["KeySpec"] not in SPECS:
            raise Refused("ValidationException", "Value at 'keySpec' failed to satisfy constraint")
        if asked["KeySpec"].startswith("ML_DSA") and asked["KeyUsage"] != "SIGN_VERIFY":
            raise Refused("ValidationException", "KeyUsage is not compatible with KeySpec")
        tags = {tag["TagKey"]: tag["TagValue"] for tag in asked["Tags"]}
        if len(tags) != len(asked["Tags"]) or not all(_TAG_VALUE.fullmatch(it) for it in tags.values()):
            raise Refused("TagException", "a tag is malformed or told twice")
        try:
            json.loads(asked.get("Policy", "{}"))
        except ValueError:
            raise Refused("MalformedPolicyDocumentException", "The policy is malformed") from None
        made = KmsKey(
            asked["KeySpec"], asked["KeyUsage"], region, self.seconds, tags, asked.get("Policy", "")
        )
        self.keys[made.id] = made
        return {"KeyMetadata": made.metadata}

    def _GetPublicKey(self, asked: Body, region: str) -> Body:
        _only(asked, {"KeyId"})
        key = self.key(asked)
        key.require_enabled()
        return {
            "KeyId": key.arn,
            "KeySpec": key.spec,
            "KeyUsage": key.usage,
            "PublicKey": base64.b64encode(key.public()).decode(),
            "SigningAlgorithms": list(SPECS[key.spec][1]),
        }

    def _ListResourceTags(self, asked: Body, region: str) -> Body:
        _only(asked, {"KeyId"})
        tags = self.key(asked).tags
        return {
            "Tags": [{"TagKey": name, "TagValue": value} for name, value in tags.items()],
            "Truncated": False,
        }

    def _DescribeKey(self, asked: Body, region: str) -> Body:
        _only(asked, {"KeyId"})
        return {"KeyMetadata": self.key(asked).metadata}

    def _Sign(self, asked: Body, region: str) -> Body:
        _only(asked, {"KeyId", "Message", "MessageType", "SigningAlgorithm"})
        key, message = self.key(asked), base64.b64decode(asked["Message"])
        signature = key.sign(message, asked["MessageType"], asked["SigningAlgorithm"])
        return {
            "KeyId": key.arn,
            "Signature": base64.b64encode(signature).decode(),
            "SigningAlgorithm": asked["SigningAlgorithm"],
        }

    def _ScheduleKeyDeletion(self, asked: Body, region: str) -> Body:
        _only(asked, {"KeyId", "PendingWindowInDays"})
        key, window = self.key(asked), asked["PendingWindowInDays"]
        if not 7 <= window <= 30:
            raise Refused("ValidationException", "PendingWindowInDays is from 7 to 30")
        if key.state == "PendingDeletion":
            raise Refused("KMSInvalidStateException", f"{key.arn} is pending deletion.")
        key.state, key.window = "PendingDeletion", window
        return {"KeyId": key.arn, "KeyState": key.state, "PendingWindowInDays": window}

    def _GetResources(self, asked: Body, region: str) -> Body:
        _only(asked, {"TagFilters", "ResourceTypeFilters", "ResourcesPerPage", "PaginationToken"})
        assert asked["ResourceTypeFilters"] == ["kms:key"]
        [wanted] = asked["TagFilters"]
        found = [key for key in self.keys.values() if key.tags.get(wanted["Key"]) in wanted["Values"]]
        begin = int(asked.get("PaginationToken") or 0)
        page = found[begin : begin + _PAGE]
        return {
            "PaginationToken": str(begin + _PAGE) if begin + _PAGE < len(found) else "",
            "ResourceTagMappingList": [
                {
                    "ResourceARN": key.arn,
                    "Tags": [{"Key": name, "Value": value} for name, value in key.tags.items()],
                }
                for key in page
            ],
        }

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


def _only(asked: Body, known: set[str]) -> None:
    assert set(asked) <= known, f"parameters without a rule here: {set(asked) - known}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: StandInKms

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = _TARGET.fullmatch(self.headers.get("X-Amz-Target", ""))
        assert target is not None
        operation, asked = target[2], json.loads(content)
        self.owner.requests.append((operation, asked))
        waiting = self.owner.script.get(operation)
        fault = waiting.popleft() if waiting else None
        if isinstance(fault, Answers):
            self._send(fault.status, {"__type": fault.code, "message": fault.message})
            return
        status, body = 500, {}
        if fault is None or fault.carried_out:
            status, body = self.owner.answer(operation, asked, self.headers.get("Authorization", ""))
        if isinstance(fault, Stalls):
            self.owner.ended.wait(30)
        if isinstance(fault, Breaks | Stalls):
            self.close_connection = True
            return
        self._send(status, body)

    def _send(self, status: int, body: Body) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""
