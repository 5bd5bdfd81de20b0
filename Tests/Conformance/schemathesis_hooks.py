"""Tells schemathesis that every route with a body may give the responses documented beside the routes."""
import schemathesis


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for item in raw_schema["paths"].values():
        for operation in item.values():
            if "requestBody" not in operation: continue
            for status in raw_schema["components"]["responses"]:
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/{status}"})
