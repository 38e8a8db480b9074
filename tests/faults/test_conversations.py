"""`triage serve` is killed and Elasticsearch is away while turns come: each has one answer, and none after a hand-off.

Turns come over HTTP, to two processes that share the store, and on the topic; each is sent several times.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from chaos.proxy import TcpProxy
from harness import Fleet, wait_for
from kafka import KafkaProducer

from triage.elastic import conversations
from triage.elastic.client import connect

pytestmark = [pytest.mark.stack, pytest.mark.slow]

TOKEN = "the-token-of-olga-0123"
REFUND = ["I want a refund", "112-3456789-0123456", "it arrived damaged", "not yet", "yes thanks"]
HANDED_OVER = ["my parcel is late", "112-3456789-0123456", "is anybody there? a human please", "hello?", "still there?"]
SCRIPTS = (REFUND, HANDED_OVER)
BY_HTTP, BY_TOPIC = 10, 8
SEED = 20


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Apis:
    """Two processes of `triage serve` over one store, which a proxy can take away."""

    def __init__(self, stack, prefix, folder):
        target = urlsplit(stack.elasticsearch_url)
        self.target = (target.hostname, target.port)
        self.proxy = TcpProxy(self.target)
        # Topics and indices are made without the proxy.
        self.fleet = Fleet(stack, prefix, folder).prepare()
        self.ports = {name: free_port() for name in "ab"}
        self.flags = self.fleet.flags | {
            "elasticsearch.url": f"http://127.0.0.1:{self.proxy.port}",
            "elasticsearch.request_timeout_s": 5,
            "api.tokens": json.dumps([{"name": "olga", "role": "operator", "token": TOKEN}]),
            "api.records_per_minute": 100_000,
            "api.batch_wait_ms": 0,
            "assist.vectors": False,
            "assist.index_cases": False,
            "conversations.topic": True,
        }
        self.processes = {}

    def start(self, name):
        flags = self.flags | {"api.port": self.ports[name]}
        environment = {f"TRIAGE_{key.upper().replace('.', '__')}": str(value) for key, value in flags.items()}
        with (self.fleet.tmp_path / f"api-{name}-{time.time_ns()}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "triage", "serve"], env={**os.environ, **environment},
                cwd=self.fleet.tmp_path, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def wait_started(self, name):
        try:
            wait_for(lambda: self.is_live(name), 300, f"the start of {name}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.fleet.logs('api-*.log')}") from None

    def is_live(self, name):
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[name]}/live", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self, name):
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def cut(self, *, away):
        self.proxy.target = ("127.0.0.1", 9) if away else self.target
        self.proxy.cut()

    def stop(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.proxy.close()


class Customers:
    """Sends turns over HTTP until each is answered, every one at least twice, to either process."""

    def __init__(self, apis):
        self.apis, self.answers, self.lock = apis, defaultdict(list), threading.Lock()

    def talk(self, identity, script):
        choose = random.Random(f"{SEED} {identity}")
        with httpx.Client(headers={"authorization": f"Bearer {TOKEN}"}, timeout=15) as client:
            for number, text in enumerate(script, 1):
                body = {"turn": number, "from": "customer", "text": text}
                for _ in range(choose.choice((2, 2, 3))):
                    self._send(client, identity, body, choose)

    def _send(self, client, identity, body, choose):
        deadline = time.monotonic() + 400
        while time.monotonic() < deadline:
            port = self.apis.ports[choose.choice("ab")]
            try:
                answer = client.post(f"http://127.0.0.1:{port}/v1/conversations/{identity}/turns", json=body)
            except httpx.HTTPError:
                time.sleep(0.1)
                continue
            if answer.status_code == 503:
                time.sleep(0.1)
                continue
            assert answer.status_code == 200, answer.text
            with self.lock:
                self.answers[identity, body["turn"]].append(answer.json())
            return
        raise AssertionError(f"turn {body['turn']} of {identity} was never answered\n{self.apis.fleet.logs('api-*')}")


def send_by_topic(settings, scripts):
    """Send every turn to the topic, each one to three times, those of a conversation in order."""
    choose = random.Random(SEED)
    producer = KafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers)
    for number in range(len(REFUND)):
        for identity, script in scripts.items():
            turn = {"conversation": identity, "turn": number + 1, "from": "customer", "text": script[number]}
            for _ in range(choose.choice((1, 2, 3))):
                producer.send(settings.kafka.topic("turns"), key=identity.encode(), value=json.dumps(turn).encode())
        producer.flush()
        time.sleep(0.5)
    producer.close()


def check_conversation(stored, script):
    """One turn for each number, in order, and nothing of the bot after it handed over but once that someone comes."""
    assert [(turn.turn, turn.text) for turn in stored.turns] == list(enumerate(script, 1))
    handed_over, told = False, 0
    for turn in stored.turns:
        if handed_over:
            assert {each.step for each in turn.answer.say} <= {"waiting"}
            told += len(turn.answer.say)
        handed_over = handed_over or turn.answer.state == "waiting"
    assert handed_over == (script is HANDED_OVER)
    assert told == (1 if handed_over else 0)
    assert stored.revision == len(script)


@pytest.fixture
def apis(stack, prefix, tmp_path):
    found = Apis(stack, prefix, tmp_path)
    yield found
    found.stop()


def test_no_turn_is_answered_twice_or_never_and_the_bot_is_silent_after_a_hand_off(apis):
    for name in "ab":
        apis.start(name)
    for name in "ab":
        apis.wait_started(name)
    settings = apis.fleet.settings
    customers = Customers(apis)
    by_http = {f"http-{n}": SCRIPTS[n % 2] for n in range(BY_HTTP)}
    by_topic = {f"topic-{n}": SCRIPTS[n % 2] for n in range(BY_TOPIC)}
    with ThreadPoolExecutor(BY_HTTP + 1) as pool:
        working = [pool.submit(customers.talk, identity, script) for identity, script in by_http.items()]
        working.append(pool.submit(send_by_topic, settings, by_topic))
        time.sleep(0.3)
        apis.kill("a")
        apis.cut(away=True)
        apis.start("a")
        time.sleep(2)
        apis.cut(away=False)
        apis.wait_started("a")
        apis.kill("b")
        apis.start("b")
        apis.wait_started("b")
        apis.cut(away=False)
        for each in working:
            each.result()

    def answered():
        return {key.decode() for key, _, _ in apis.fleet.read("answered-turns")}

    expected = {f"{identity}/{n}" for identity, script in by_topic.items() for n in range(1, len(script) + 1)}
    wait_for(lambda: answered() >= expected, 300, "all answers on the topic")
    client = connect(settings.elasticsearch)
    found = {
        identity: conversations.read(client, settings.elasticsearch, identity) for identity in (*by_http, *by_topic)
    }
    client.close()
    for identity, script in {**by_http, **by_topic}.items():
        check_conversation(found[identity], script)
    for (identity, number), answers in customers.answers.items():
        stored = msgspec.to_builtins(found[identity].turns[number - 1].answer)
        assert len(answers) >= 2
        assert all(answer == stored for answer in answers), f"{identity}/{number} has several answers"
    messages = apis.fleet.read("answered-turns")
    assert sorted(key.decode() for key, _, _ in messages) == sorted(expected)
    for key, message, _ in messages:
        identity, _, number = key.decode().partition("/")
        assert message["answer"] == msgspec.to_builtins(found[identity].turns[int(number) - 1].answer)
