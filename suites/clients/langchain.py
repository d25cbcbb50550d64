"""Does with LangChain's ChatOpenAI what the document shows, and prints one line of JSON a case."""

import json
import os

from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI

base = os.environ["STACK29_BASE"]
user = "stack29-conformance langchain"


def chat(name):
    return ChatOpenAI(
        model=os.environ["STACK29_MODEL"],
        base_url=f"{base}/{name}/v1",
        api_key=os.environ["OPENAI_API_KEY"],
        max_retries=0,
        # As documented: of itself LangChain gives max_tokens another name.
        extra_body={"max_tokens": 16, "user": user},
    )


def tell(name, act):
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


tell("chat", plain)
tell("stream", stream)
