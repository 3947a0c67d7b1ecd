"""One server of the tf.data service: `dispatcher`, or `worker ADDRESS PORT`."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from tensorflow.data.experimental import service

if sys.argv[1] == "dispatcher":
    server = service.DispatchServer()
    print(server.target.removeprefix("grpc://"), flush=True)
else:
    address, port = sys.argv[2:]
    config = service.WorkerConfig(
        address, port=int(port), dispatcher_timeout_ms=60_000)
    server = service.WorkerServer(config)
    print("ready", flush=True)  # the dispatcher knows it from here on
# Ends with the process that started it, however that one ends.
sys.stdin.read()
