"""Prints which artifact remotes BuildStream 1.x itself chooses, for each case that it reads from standard input."""

from buildstream._context import Context
from buildstream._project import Project
from chosen import answer, choice, remote


def plain(spec):
    return remote(spec, "all", None, (spec.server_cert, spec.client_cert, spec.client_key))


def choose(case):
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
    specs = [each.spec for each in artifacts._remotes.get(project, [])]
    # A URL that is said twice is there twice, as one and the same remote.
    remotes = [plain(spec) for spec in dict.fromkeys(specs)]
    return choice(remotes, project, context, context.artifactdir, context.sched_error_action)


answer(choose)
