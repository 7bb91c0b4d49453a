import os
import signal
import sys
import time

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from caller import caller_email
from log import log_json, log_request

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
    # uvicorn logs it, with its traceback.
    return JSONResponse({"error": "Internal Server Error"}, 500)


@app.middleware("http")
async def log(request: Request, answer):
    start = time.monotonic()
    status = 500
    try:
        response = await answer(request)
        status = response.status_code
        return response
    finally:
        log_request(request.method, request.url.path, request.headers, status, time.monotonic() - start)


def main():
    log_json()
    host = os.environ.get("HOST") or "0.0.0.0"
    port = int(os.environ.get("PORT") or 8080)
    # Newer releases of uvicorn, once they have stopped cleanly, raise SIGTERM again, which would
    # end the process with another exit code than 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    main()
