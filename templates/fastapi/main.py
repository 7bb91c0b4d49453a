import os
import signal
import sys

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from caller import caller_email
from log import log_json

app = FastAPI()


@app.get("/")
def hello():
    return {"message": "Hello World from authenticated Cloud Run!"}


@app.get("/whoami")
def whoami(request: Request):
    return {"email": caller_email(request.headers)}


@app.exception_handler(HTTPException)
def error(_request: Request, reason: HTTPException):
    return JSONResponse({"error": reason.detail}, reason.status_code, reason.headers)


@app.exception_handler(Exception)
def unexpected_error(_request: Request, _reason: Exception):
    # uvicorn logs the traceback.
    return JSONResponse({"error": "Internal Server Error"}, 500)


def main():
    log_json()
    host = os.environ.get("HOST") or "0.0.0.0"
    port = int(os.environ.get("PORT") or 8080)
    # After a clean stop, newer releases of uvicorn raise SIGTERM again. Exit with code 0 nevertheless.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    main()
