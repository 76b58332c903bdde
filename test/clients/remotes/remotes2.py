"""Prints which artifact remotes BuildStream 2.x itself chooses, for each case that it reads from standard input."""

from buildstream import utils
from buildstream._context import Context
from buildstream._project import Project
from buildstream._remotespec import RemoteSpec, RemoteSpecPurpose
from chosen import answer, choice, remote

PURPOSES = {"all": RemoteSpecPurpose.ALL, "push": RemoteSpecPurpose.PUSH, "pull": RemoteSpecPurpose.PULL}


def plain(spec):
    return remote(
        spec,
        str(spec.remote_type),
        spec.instance_name,
        (spec.server_cert_file, spec.client_cert_file, spec.client_key_file),
        (spec.access_token_file, spec.access_token_reload_interval),
        (spec.keepalive_time, spec.retry_limit, spec.retry_delay, spec.request_timeout),
    )


def choose(case):
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
    # Those of remote execution alone take part in the choice, and hold no artifacts.
    remotes = [each for each in map(plain, utils._deduplicate(chosen[0])) if each["type"] != "endpoint"]
    return choice(remotes, project, context, context.cachedir, str(context.sched_error_action))


answer(choose)
