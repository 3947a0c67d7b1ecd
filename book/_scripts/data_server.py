"""One server of the tf.data service: `dispatcher`, or `worker ADDRESS PORT`."""

import os
import signal
import sys

signal.alarm(120)  # a server that is not up by then ends here
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from tensorflow.data.experimental import service

if sys.argv[1] == "dispatcher":
    server = service.DispatchServer()
    print(server.target.removeprefix("grpc://"), flush=True)
else:
    address, port = sys.argv[2:]
    server = service.WorkerServer(service.WorkerConfig(address, port=int(port)))
    print("ready", flush=True)  # the dispatcher knows it from here on
signal.alarm(0)
# Ends with the process that started it, however that one ends.
sys.stdin.read()
