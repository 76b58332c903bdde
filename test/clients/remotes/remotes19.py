"""Prints which artifact remotes BuildStream 1.91 to 1.93 itself chooses, for each case that it reads from standard input."""

from buildstream._artifactcache import ArtifactCache
from buildstream._context import Context
from buildstream._project import Project
from chosen import answer, choice, remote


def plain(spec):
    return remote(spec, spec.type.value, spec.instance_name, (spec.server_cert, spec.client_cert, spec.client_key))


def choose(case):
    context = Context(use_casd=False)
    context.load(case["config"])
    project = Project(case["directory"], context, cli_options=case["options"])
    project.ensure_fully_loaded()
    remotes = [plain(spec) for spec in ArtifactCache._configured_remote_cache_specs(context, project)]
    return choice(remotes, project, context, context.cachedir, context.sched_error_action.value)


answer(choose)
