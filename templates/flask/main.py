import json
import time

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from caller import caller_email
from log import log_json, log_request

log_json()
app = Flask(__name__)


@app.get("/")
def hello():
    return {"message": "Hello World from authenticated Cloud Run!"}


@app.get("/whoami")
def whoami():
    return {"email": caller_email(request.headers)}


@app.errorhandler(HTTPException)
def error(reason: HTTPException):
    # What is no HTTPException comes here as an InternalServerError, after Flask has logged it.
    response = reason.get_response()
    response.content_type = "application/json"
    response.data = json.dumps({"error": reason.name})
    return response


@app.before_request
def start_clock():
    g.start = time.monotonic()


@app.after_request
def log(response: Response):
    log_request(request.method, request.path, request.headers, response.status_code, time.monotonic() - g.start)
    return response
