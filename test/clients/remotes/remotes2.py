"""Prints which artifact remotes BuildStream 2.x itself chooses, for each case that it reads from standard input."""

import json
import os
import sys

from buildstream import utils
from buildstream._context import Context
from buildstream._exceptions import BstError
from buildstream._project import Project
from buildstream._remotespec import RemoteSpec, RemoteSpecPurpose

PURPOSES = {"all": RemoteSpecPurpose.ALL, "push": RemoteSpecPurpose.PUSH, "pull": RemoteSpecPurpose.PULL}


def absolute(path):
    return os.path.abspath(path) if path else None


def plain(spec):
    return {
        "url": spec.url,
        "type": str(spec.remote_type),
        "push": spec.push,
        "instanceName": spec.instance_name or "",
        "auth": {
            "serverCert": absolute(spec.server_cert_file),
            "clientCert": absolute(spec.client_cert_file),
            "clientKey": absolute(spec.client_key_file),
            "accessToken": absolute(spec.access_token_file),
            "accessTokenReloadMinutes": spec.access_token_reload_interval,
        },
        "connection": {
            "keepaliveSeconds": spec.keepalive_time,
            "retryLimit": spec.retry_limit,
            "retryDelayMs": spec.retry_delay,
            "requestTimeoutSeconds": spec.request_timeout,
        },
    }


def choose(case):
    os.environ.clear()
    os.environ.update(case["environment"])
    os.chdir(case["workingDirectory"])
    context = Context(use_casd=False)
    context.load(case["config"])
    remotes = [RemoteSpec.new_from_string(text, PURPOSES[case["purpose"]]) for text in case["remotes"]]
    project = Project(case["directory"], context, cli_options=case["options"])
    context.ensure_fully_loaded()
    chosen = [
        context._resolve_specs_for_project(project, remotes, case["ignore"], config, key, attribute)
        for config, key, attribute in [
            (context._global_artifact_cache_config, "artifacts", "artifact_cache_specs"),
            (context._global_source_cache_config, "source-caches", "source_cache_specs"),
        ]
    ]
    return {
        # Those of remote execution alone take part in the choice, and hold no artifacts.
        "remotes": [each for each in map(plain, utils._deduplicate(chosen[0])) if each["type"] != "endpoint"],
        "project": project.name,
        "cacheDirectory": context.cachedir,
        "fetchers": context.sched_fetchers,
        "builders": context.sched_builders,
        "pushers": context.sched_pushers,
        "networkRetries": context.sched_network_retries,
        "onError": str(context.sched_error_action),
    }


def outcome(case):
    try:
        return choose(case)
    except BstError as error:
        return {"refusal": str(error)}
    except Exception as error:  # A failure of BuildStream's own, of which users see a trace.
        return {"refusal": repr(error)}


json.dump([outcome(case) for case in json.load(sys.stdin)], sys.stdout)
