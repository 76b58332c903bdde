"""Prints which artifact remotes BuildStream 1.x itself chooses, for each case that it reads from standard input."""

import json
import os
import sys

from buildstream._context import Context
from buildstream._exceptions import BstError
from buildstream._project import Project


def absolute(path):
    return os.path.abspath(path) if path else None


def plain(spec):
    return {
        "url": spec.url,
        "type": "all",
        "push": spec.push,
        "instanceName": "",
        "auth": {
            "serverCert": absolute(spec.server_cert),
            "clientCert": absolute(spec.client_cert),
            "clientKey": absolute(spec.client_key),
            "accessToken": None,
            "accessTokenReloadMinutes": None,
        },
        "connection": {"keepaliveSeconds": None, "retryLimit": None, "retryDelayMs": None, "requestTimeoutSeconds": None},
    }


def choose(case):
    os.environ.clear()
    os.environ.update(case["environment"])
    os.chdir(case["workingDirectory"])
    context = Context()
    context.set_message_handler(lambda message, context: None)
    context.load(case["config"])
    project = Project(case["directory"], context, cli_options=case["options"])
    project.ensure_fully_loaded()
    artifacts = context.artifactcache
    # Every server answers.
    artifacts.cas.initialize_remote = lambda spec, queue: queue.put(None)
    url = case["remotes"][0] if case["remotes"] else None
    artifacts.setup_remotes(use_config=not url, remote_url=url)
    specs = [remote.spec for remote in artifacts._remotes.get(project, [])]
    return {
        # A URL that is said twice is there twice, as one and the same remote.
        "remotes": [plain(spec) for spec in dict.fromkeys(specs)],
        "project": project.name,
        "cacheDirectory": context.artifactdir,
        "fetchers": context.sched_fetchers,
        "builders": context.sched_builders,
        "pushers": context.sched_pushers,
        "networkRetries": context.sched_network_retries,
        "onError": context.sched_error_action,
    }


def outcome(case):
    try:
        return choose(case)
    except BstError as error:
        return {"refusal": str(error)}
    except Exception as error:  # A failure of BuildStream's own, of which users see a trace.
        return {"refusal": repr(error)}


json.dump([outcome(case) for case in json.load(sys.stdin)], sys.stdout)
