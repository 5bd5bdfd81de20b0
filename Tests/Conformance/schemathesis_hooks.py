"""Tells schemathesis that every route with a body may give the responses documented beside the routes."""
import schemathesis


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for item in raw_schema["paths"].values():
        for operation in item.values():
            # Operations with OpenAI's shape of errors list their own.
            if "requestBody" not in operation or "4XX" in operation["responses"]: continue
            for status in raw_schema["components"]["responses"]:
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{status}"})
