"""Prints which artifact remotes BuildStream 1.91 to 1.93 itself chooses, for each case that it reads from standard input."""

import json
import os
import sys

from buildstream._artifactcache import ArtifactCache
from buildstream._context import Context
from buildstream._exceptions import BstError
from buildstream._project import Project


def absolute(path):
    return os.path.abspath(path) if path else None


def plain(spec):
    return {
        "url": spec.url,
        "type": spec.type.value,
        "push": spec.push,
        "instanceName": spec.instance_name or "",
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
    context = Context(use_casd=False)
    context.load(case["config"])
    project = Project(case["directory"], context, cli_options=case["options"])
    project.ensure_fully_loaded()
    return {
        "remotes": [plain(spec) for spec in ArtifactCache._configured_remote_cache_specs(context, project)],
        "project": project.name,
        "cacheDirectory": context.cachedir,
        "fetchers": context.sched_fetchers,
        "builders": context.sched_builders,
        "pushers": context.sched_pushers,
        "networkRetries": context.sched_network_retries,
        "onError": context.sched_error_action.value,
    }


def outcome(case):
    try:
        return choose(case)
    except BstError as error:
        return {"refusal": str(error)}
    except Exception as error:  # A failure of BuildStream's own, of which users see a trace.
        return {"refusal": repr(error)}


json.dump([outcome(case) for case in json.load(sys.stdin)], sys.stdout)
