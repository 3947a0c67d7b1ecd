"""What the chapter Devices relies on: training on several devices, the tf.data service, no process left over."""

import contextlib
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import notebooks
import numpy as np
import psutil
import pytest

from mixup_helpers._keras import tf
from mixup_helpers.pipelines import mixup_batches

SERVER = notebooks.BOOK / "_scripts" / "data_server.py"
service = tf.data.experimental.service
pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="a port can't be held here")


def wait_for(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} seconds"
        time.sleep(0.02)


def python(*arguments):
    """What a Python of its own prints at last, as JSON."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def hold_port():
    """A port that nobody else is given while the socket is open."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("", 0))
    return held


def in_time(dataset, seconds=120):
    """The elements, read by a thread: the service itself waits for a dead worker without end."""
    elements = queue.Queue(maxsize=1)

    def fill():
        for element in dataset.as_numpy_iterator():
            elements.put(element)
        elements.put(None)

    threading.Thread(target=fill, daemon=True).start()
    while True:
        try:
            element = elements.get(timeout=seconds)
        except queue.Empty:
            pytest.fail(f"the fleet sent nothing for {seconds} seconds")
        if element is None:
            return
        yield element


class Fleet:
    """A dispatcher and two workers, each worker in a folder of its own."""

    def __init__(self, stack):
        self.stack = stack
        self.folders = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)]
        self.ports = [stack.enter_context(hold_port()).getsockname()[1] for _ in range(2)]
        self.dispatcher, self.address = self.serve("dispatcher")
        self.workers = [self.start_worker(i) for i in range(2)]

    def serve(self, *role, folder=None):
        process = subprocess.Popen(
            [sys.executable, SERVER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder,
        )  # fmt: skip
        self.stack.callback(stop, process)
        print(*role, file=process.stdin, flush=True)
        answer = process.stdout.readline().strip()
        assert answer, f"the {role[0]} did not start"
        return process, answer

    def start_worker(self, i):
        return self.serve("worker", self.address, self.ports[i], folder=self.folders[i])[0]

    def read(self, dataset, mode, most=-1):
        # What is compressed is unpacked by as many threads as there are cores, and waits there.
        few = {"max_outstanding_requests": 2, "compression": None}
        distribute = service.distribute(service.ShardingPolicy[mode], self.address, **few)
        return in_time(dataset.apply(distribute).take(most))

    def notes(self, i):
        return {int(path.name) for path in self.folders[i].iterdir()}

    def forget(self):
        for folder in self.folders:
            for path in folder.iterdir():
                path.unlink()


def stop(process):
    """Close the pipe and see the server end by itself."""
    process.stdin.close()
    try:
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def fleet():
    with contextlib.ExitStack() as stack:
        yield Fleet(stack)


def note(k):
    tf.io.write_file(tf.strings.as_string(k), "")
    return k


def mixed_rows(k):
    """Batch k of 30 rows, each its own number one-hot, mixed by numbers that follow from k."""
    rows = tf.range(30, dtype=tf.int64)
    index = tf.random.experimental.stateless_shuffle(rows, seed=[0, k])
    lam = tf.random.stateless_uniform([], seed=[1, k], dtype=tf.float64)
    return k, lam * tf.one_hot(rows, 30, dtype=tf.float64) + (1 - lam) * tf.one_hot(index, 30, dtype=tf.float64)


def both_take_part(fleet, dataset):
    """What two workers make, of which each makes something."""
    fleet.forget()
    found = fleet.read(dataset, "DYNAMIC")
    first = next(found)
    wait_for("a note of each worker", lambda: fleet.notes(0) and fleet.notes(1))
    return [first, *found]


def test_the_modes_give_each_batch_as_often_as_they_promise(fleet):
    dataset = tf.data.Dataset.range(60).map(mixed_rows)
    here = Counter((int(k), x.tobytes()) for k, x in dataset.as_numpy_iterator())
    assert Counter((int(k), x.tobytes()) for k, x in fleet.read(dataset, "DYNAMIC")) == here
    assert Counter((int(k), x.tobytes()) for k, x in fleet.read(dataset, "OFF")) == here + here


@pytest.mark.parametrize(("seed", "different"), [(None, 120), (0, 60)])
def test_without_a_seed_each_worker_draws_its_own_numbers(fleet, seed, different):
    tf.random.set_seed(seed)  # TensorFlow's global seed counts, and other tests may have set it
    drawn = tf.data.Dataset.range(60).map(lambda k: (k, tf.random.uniform([], dtype=tf.float64)))
    pairs = list(fleet.read(drawn, "OFF"))
    assert len(pairs) == 120
    assert len(set(pairs)) == different


def test_a_number_that_is_counted_behind_the_source_comes_twice(fleet):
    pairs = both_take_part(fleet, tf.data.Dataset.range(60).enumerate().map(lambda i, k: (i, note(k))))
    assert sorted(int(k) for _, k in pairs) == list(range(60))
    assert Counter(int(i) for i, _ in pairs)[0] == 2


def test_each_worker_fills_batches_of_its_own_from_rows(fleet):
    rows = tf.data.Dataset.range(600).batch(4)
    batches = both_take_part(fleet, rows.map(lambda k: (note(k[0]), k)[1]))
    assert sorted(np.concatenate(batches)) == list(range(600))
    here = {tuple(batch) for batch in rows.as_numpy_iterator()}
    assert {tuple(batch) for batch in batches} != here


def test_the_helper_for_pipelines_still_mixes_rightly(fleet):
    x = np.eye(96)
    rows = tf.data.Dataset.from_tensor_slices((x.reshape(3, 32, 96), x.reshape(3, 32, 96)))
    mixed = list(fleet.read(mixup_batches(rows, alpha=1, seed=0), "DYNAMIC"))
    assert len(mixed) == 3
    for images, labels in mixed:
        np.testing.assert_array_equal(images, labels)
        np.testing.assert_allclose(labels.sum(0)[labels.sum(0) > 0], 1)  # a permutation of the same 32 rows
        assert ((labels > 0).sum(1) <= 2).all()


def accident(fleet, dataset, mode, ready):
    """What comes when worker 0 is killed after 40 batches and stands up again after 20 more."""
    fleet.forget()
    found = fleet.read(dataset.prefetch(8), mode)
    seen = [int(k) for k in islice(found, 40)]
    wait_for("work in hand", lambda: ready(seen))
    fleet.workers[0].kill()
    fleet.workers[0].wait()
    seen += [int(k) for k in islice(found, 20)]
    assert len(seen) == 60, "training goes on"
    fleet.workers[0] = fleet.start_worker(0)
    return seen + [int(k) for k in found]


def test_dynamic_loses_what_the_dead_worker_had_and_repeats_nothing(fleet):
    plan = tf.data.Dataset.range(90).map(note)
    seen = accident(fleet, plan, "DYNAMIC", lambda seen: len(fleet.notes(0) - set(seen)) >= 6)
    assert len(seen) == len(set(seen))
    assert 1 <= 90 - len(seen) <= 15
    assert fleet.notes(1) <= set(seen)


def test_off_loses_nothing_and_repeats(fleet):
    seen = accident(fleet, tf.data.Dataset.range(90), "OFF", lambda seen: True)
    times = Counter(seen)
    assert len(times) == 90 and set(times.values()) <= {2, 3}


def test_endless_data_need_no_dead_worker_back(fleet):
    found = fleet.read(tf.data.Dataset.range(90).repeat(), "DYNAMIC", most=100)
    seen = list(islice(found, 40))
    fleet.workers[0].kill()
    fleet.workers[0].wait()
    assert len(seen + list(found)) == 100
    fleet.workers[0] = fleet.start_worker(0)


def test_no_server_outlives_the_process_that_started_it():
    starter = subprocess.Popen(
        [sys.executable, "-c", f"""
import subprocess, sys
def serve(role):
    server = subprocess.Popen([sys.executable, {str(SERVER)!r}], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    print(role, file=server.stdin, flush=True)
    return server, server.stdout.readline().strip()
dispatcher, address = serve("dispatcher")
worker, _ = serve(f"worker {{address}} 0")
print(dispatcher.pid, worker.pid, flush=True)
sys.stdin.read()"""],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with starter:
        dispatcher, worker = [psutil.Process(int(pid)) for pid in starter.stdout.readline().split()]
        # The worse case: the worker has nobody left to say goodbye to.
        dispatcher.kill()
        starter.send_signal(signal.SIGKILL)
        for server in (dispatcher, worker):
            wait_for("its end", lambda: ended(server))


def ended(process):
    """Whether it is gone, or waits in vain for somebody who asks how it ended."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


DEVICES = """
import json, numpy as np
from mixup_helpers._keras import keras, tf
from mixup_helpers import MixUpDataset, models
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
rng = np.random.default_rng(0)
x, y = rng.random((93, 8, 8), dtype="float32"), np.eye(10, dtype="float32")[rng.integers(10, size=93)]

def train(strategy, n):
    with strategy.scope():
        model = models.perceptron((8, 8), [16], 10, seed=0)
    model.fit(MixUpDataset(x[:n], y[:n], alpha=1, seed=0), epochs=2, shuffle=False, verbose=0)
    return np.concatenate([w.ravel() for w in model.get_weights()])

def weighted(n):
    model = models.perceptron((8, 8), [16], 10, seed=0)
    data = MixUpDataset(x[:n], y[:n], alpha=1, seed=0)
    for _ in range(2):
        data.on_epoch_end()
        for images, labels in (data[i] for i in range(len(data))):
            first = -(-len(images) // 2)
            weight = np.full(len(images), len(images) / 2 / first)
            weight[first:] = len(images) / 2 / (len(images) - first)
            model.train_on_batch(images, labels, sample_weight=weight)
    return np.concatenate([w.ravel() for w in model.get_weights()])

one, two = tf.distribute.OneDeviceStrategy("CPU:0"), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
even, odd = train(two, 64), train(two, 93)
print(json.dumps({
    "replicas": two.num_replicas_in_sync,
    "even": float(abs(train(one, 64) - even).max()),
    "odd": float(abs(train(one, 93) - odd).max()),
    "odd, weighted": float(abs(weighted(93) - odd).max()),
}))
"""


def test_two_devices_train_like_one_but_for_an_odd_last_batch():
    found = python("-c", DEVICES)
    assert found["replicas"] == 2
    assert found["even"] < 1e-5
    assert found["odd"] > 1e-4
    assert found["odd, weighted"] < 1e-5


TRAINER = """
import json
import tensorflow as tf
{strategy}
import numpy as np
from mixup_helpers import MixUpDataset, data, models
from mixup_helpers._keras import keras
x, _, y, _ = data.digits_split()
batches = MixUpDataset(x[:320].astype("float32"), y[:320].astype("float32"), alpha=1, seed=0)
mixed = tf.data.Dataset.from_tensor_slices(tuple(map(np.stack, zip(*batches)))).unbatch().batch(32)
{recipe}
weights = np.concatenate([w.ravel() for w in model.get_weights()])
print(json.dumps([strategy.num_replicas_in_sync, int(optimizer.iterations.numpy()), weights.tolist()]))
"""
FIT = """
model = models.perceptron((8, 8), [64], 10, seed=0)
optimizer = keras.optimizers.SGD(0.5)
model.compile(optimizer, "categorical_crossentropy")
model.fit(mixed, shuffle=False, verbose=0)
"""


def run_cluster(script):
    """The last lines that two processes of the script print, as JSON, or "" where one failed."""
    with hold_port() as a, hold_port() as b:
        addresses = [f"localhost:{held.getsockname()[1]}" for held in (a, b)]
    with contextlib.ExitStack() as stack:
        trainers, printed = [], [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in addresses]
        for index, file in enumerate(printed):
            config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            trainer = subprocess.Popen(
                [sys.executable, script], stdout=file, stderr=subprocess.DEVNULL,
                env={**os.environ, "TF_CONFIG": json.dumps(config)},
            )  # fmt: skip
            stack.callback(trainer.wait)
            stack.callback(trainer.kill)
            trainers.append(trainer)

        def over():
            codes = [trainer.poll() for trainer in trainers]
            return any(codes) or None not in codes

        wait_for("the end of both, or a failure", over, seconds=300)
        for file in printed:
            file.seek(0)
        texts = [file.read() for file in printed]
    return [text and json.loads(text.splitlines()[-1]) for text in texts]


def test_the_recipe_for_a_cluster_trains_like_one_machine(tmp_path):
    cells = notebooks.read(notebooks.BOOK / "devices.ipynb")["cells"]
    blocks = re.findall(r"(?s)```python\n(.*?)```", "\n".join("".join(cell["source"]) for cell in cells))
    (recipe,) = [block for block in blocks if "MultiWorkerMirroredStrategy" in block]
    first, rest = recipe.split("\n", 1)
    # Adam would hide a gradient that is twice too long.
    assert rest.count("model.optimizer") == 1
    rest = rest.replace("model.optimizer", "keras.optimizers.SGD(0.5)")
    # A file, since tf.function reads its own source.
    (tmp_path / "train.py").write_text(TRAINER.format(strategy=first, recipe=rest))
    one = TRAINER.format(strategy="strategy = tf.distribute.get_strategy()", recipe=FIT)
    replicas, steps, alone = python("-c", one)
    assert [replicas, steps] == [1, 10]
    for _ in range(3):  # these servers share no port, so another process may be given theirs meanwhile
        found = run_cluster(tmp_path / "train.py")
        if all(found):
            break
    assert found[0] == found[1] and found[0][:2] == [2, 10]
    np.testing.assert_allclose(found[0][2], alone, atol=1e-5)
