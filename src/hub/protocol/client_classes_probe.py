"""Reads messages with the official client's own classes and functions, for conformance_test.cpp.

Standard input: one JSON object a line, {"message": "Job", "hex": "…"}. Standard output: one JSON object a line, the
message as the client's classes see it, plus, for a JobResult, what the client's profile dictionary makes of it.
With {"message": …, "make": {…}} it goes the other way: the message's bytes, made by the client's classes.
"""

import json
import sys

from google.protobuf import json_format
from qai_hub import client, public_api_pb2

for line in sys.stdin:
    request = json.loads(line)
    kind = getattr(public_api_pb2, request["message"])
    if "make" in request:
        made = json_format.ParseDict(request["make"], kind())
        print(json.dumps({"hex": made.SerializeToString().hex()}))
        continue
    message = kind.FromString(bytes.fromhex(request["hex"]))
    answer = {
        "message": json_format.MessageToDict(message, preserving_proto_field_name=True),
        # Nothing of ours may be unknown to the client: its own re-serialization must keep every byte.
        "same_bytes": len(message.SerializeToString(deterministic=True)) * 2 == len(request["hex"]),
    }
    if request["message"] == "JobResult":
        profile = client._profile_pb_to_python_dict(message.inference_job_result.detail)
        answer["profile"] = json.loads(json.dumps(profile))
    print(json.dumps(answer))
