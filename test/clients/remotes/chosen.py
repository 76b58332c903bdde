"""What the scripts that ask a BuildStream for its choice of remotes have in common: cases come by standard input, outcomes leave by standard output, as JSON."""

import json
import os
import sys

from buildstream._exceptions import BstError


def absolute(path):
    return os.path.abspath(path) if path else None


def remote(spec, kind, instance_name, certificates, token=(None, None), connection=(None, None, None, None)):
    """A remote as `ClientConfiguration` has it. `certificates`: of the server, of the client, and the client's key."""
    server_cert, client_cert, client_key = map(absolute, certificates)
    access_token, reload_minutes = token
    keepalive, retry_limit, retry_delay, request_timeout = connection
    return {
        "url": spec.url,
        "type": kind,
        "push": spec.push,
        "instanceName": instance_name or "",
        "auth": {
            "serverCert": server_cert,
            "clientCert": client_cert,
            "clientKey": client_key,
            "accessToken": absolute(access_token),
            "accessTokenReloadMinutes": reload_minutes,
        },
        "connection": {
            "keepaliveSeconds": keepalive,
            "retryLimit": retry_limit,
            "retryDelayMs": retry_delay,
            "requestTimeoutSeconds": request_timeout,
        },
    }


def choice(remotes, project, context, cache_directory, on_error):
    return {
        "remotes": remotes,
        "project": project.name,
        "cacheDirectory": cache_directory,
        "fetchers": context.sched_fetchers,
        "builders": context.sched_builders,
        "pushers": context.sched_pushers,
        "networkRetries": context.sched_network_retries,
        "onError": on_error,
    }


def answer(choose):
    """Gives what `choose` makes of each case, in its environment and directory."""
    json.dump([_outcome(choose, case) for case in json.load(sys.stdin)], sys.stdout)


def _outcome(choose, case):
    os.environ.clear()
    os.environ.update(case["environment"])
    os.chdir(case["workingDirectory"])
    try:
        return choose(case)
    except BstError as error:
        return {"refusal": str(error)}
    except Exception as error:  # A failure of BuildStream's own, of which users see a trace.
        return {"refusal": repr(error)}
