"""Does with the openai package what the document's Python examples do, and prints one line of JSON a case."""

import json
import os

from openai import APIStatusError, OpenAI

base = os.environ["STACK29_BASE"]
model = os.environ["STACK29_MODEL"]
cases = os.environ["STACK29_CASES"].split(",")
user = "stack29-conformance openai-python"
messages = [
    {"role": "system", "content": "You help programmers."},
    {"role": "user", "content": "Write a Python class for a queue."},
]

forced = {
    "model": model,
    "messages": [{"role": "user", "content": "Make a file that is called hello.py"}],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "write_file",
                "description": "Writes text to a file",
                "parameters": {
                    "type": "object",
                    "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
                },
            },
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": "write_file"}},
    # A model may think before it calls.
    "max_tokens": 512,
    "user": user,
}


def client(name, key=None):
    return OpenAI(api_key=key or os.environ["OPENAI_API_KEY"], base_url=f"{base}/{name}/v1", max_retries=0)


def tell(name, act):
    if name not in cases:
        return
    try:
        facts = act()
    except APIStatusError as error:
        # Of itself the message is the whole body, as Python writes it.
        message = error.body.get("message") if isinstance(error.body, dict) else None
        message = error.message if message is None else message
        facts = {"error": {"class": type(error).__name__, "message": message, "status": error.status_code}}
    except Exception as error:
        facts = {"error": {"class": type(error).__name__, "message": str(error)}}
    print(json.dumps({"case": name, **facts}), flush=True)


def chat():
    completion = client("chat").chat.completions.create(
        model=model, messages=messages, temperature=0.7, max_tokens=16, user=user
    )
    return {"content": completion.choices[0].message.content}


def stream():
    content, ending = "", None
    chunks = client("stream").chat.completions.create(
        model=model, messages=messages, max_tokens=16, user=user, stream=True
    )
    for chunk in chunks:
        if chunk.choices:
            content += chunk.choices[0].delta.content or ""
            ending = chunk.choices[0].finish_reason or ending
    return {"content": content, "ending": ending}


def calls_of(completion):
    calls = completion.choices[0].message.tool_calls or []
    return {"calls": [{"name": call.function.name, "arguments": call.function.arguments} for call in calls]}


def tools():
    return calls_of(client("tools").chat.completions.create(**forced))


def tools_stream():
    with client("tools-stream").chat.completions.stream(**forced) as stream:
        return calls_of(stream.get_final_completion())


def refused(name, key=None, **changes):
    client(name, key).chat.completions.create(
        **{"model": model, "messages": messages, "max_tokens": 16, "user": user, **changes}
    )
    return {}


tell("chat", chat)
tell("stream", stream)
tell("tools", tools)
tell("tools-stream", tools_stream)
tell("wrong-key", lambda: refused("wrong-key", os.environ["STACK29_WRONG_KEY"]))
tell("unknown-model", lambda: refused("unknown-model", model="stack29-conformance/no-such-model"))
tell("bad-parameter", lambda: refused("bad-parameter", temperature=9))
tell("rate-limit", lambda: refused("rate-limit", os.environ["STACK29_EXHAUSTED_KEY"]))
