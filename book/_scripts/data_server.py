"""One server of the tf.data service. Its role is the first line of standard input:
`dispatcher`, or `worker ADDRESS PORT`."""

import os
import signal
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from tensorflow.data.experimental import service

role, *where = sys.stdin.readline().split()
signal.alarm(120)  # a server that is not up by then ends here
if role == "dispatcher":
    server = service.DispatchServer()
    print(server.target.removeprefix("grpc://"), flush=True)
else:
    address, port = where
    server = service.WorkerServer(service.WorkerConfig(address, port=int(port)))
    print("ready", flush=True)  # the dispatcher knows it from here on
signal.alarm(0)
# Ends with the process that started it, however that one ends. At once: a worker
# that ends in order may hang if its dispatcher has ended before.
sys.stdin.read()
os._exit(0)
