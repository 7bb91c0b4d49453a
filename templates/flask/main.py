import json

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from caller import caller_email
from log import log_json

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
    # Flask has logged any other exception, and passes it on as an InternalServerError.
    response = reason.get_response()
    response.content_type = "application/json"
    response.data = json.dumps({"error": reason.name})
    return response
