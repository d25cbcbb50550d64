"""Does with LangChain's ChatOpenAI what the document shows, and prints one line of JSON a case."""

import json
import os

from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

base = os.environ["STACK29_BASE"]
cases = os.environ["STACK29_CASES"].split(",")
user = "stack29-conformance langchain"

write_file = {
    "type": "function",
    "function": {
        "name": "write_file",
        "description": "Writes text to a file",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}, "content": {"type": "string"}}},
    },
}


def chat(name, max_tokens=16):
    return ChatOpenAI(
        model=os.environ["STACK29_MODEL"],
        base_url=f"{base}/{name}/v1",
        api_key=os.environ["OPENAI_API_KEY"],
        max_retries=0,
        # As documented: of itself LangChain gives max_tokens another name.
        extra_body={"max_tokens": max_tokens, "user": user},
    )


def tell(name, act):
    if name not in cases:
        return
    try:
        facts = act()
    except Exception as error:
        facts = {"error": {"class": type(error).__name__, "message": str(error)}}
    print(json.dumps({"case": name, **facts}), flush=True)


def plain():
    return {"content": chat("chat").invoke([HumanMessage(content="Hello!")]).content}


def stream():
    content, ending = "", None
    for chunk in chat("stream").stream([HumanMessage(content="Hello!")]):
        content += chunk.content
        ending = chunk.response_metadata.get("finish_reason") or ending
    return {"content": content, "ending": ending}


def forced(name):
    # A model may think before it calls.
    return chat(name, 512).bind_tools([write_file], tool_choice="write_file")


def calls_of(message):
    calls = [{"name": call["name"], "arguments": call["args"]} for call in message.tool_calls]
    unread = [{"name": call["name"], "arguments": call["args"]} for call in message.invalid_tool_calls]
    return {"calls": calls + unread}


wish = [HumanMessage(content="Make a file that is called hello.py")]


def tools():
    return calls_of(forced("tools").invoke(wish))


def tools_stream():
    whole, *rest = forced("tools-stream").stream(wish)
    for chunk in rest:
        whole += chunk
    return calls_of(whole)


tell("chat", plain)
tell("stream", stream)
tell("tools", tools)
tell("tools-stream", tools_stream)
