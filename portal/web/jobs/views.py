"""The pages of the scheduled jobs."""

from __future__ import annotations

from flask import abort, flash, g, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.services.jobs import JobView, RunView, edit_job, list_jobs, load_job, run_job_now
from portal.web.auth import may, requires
from portal.web.htmx import local_path, render_partial, saved, wants_partial
from portal.web.jobs import bp
from portal.web.jobs.forms import JobForm
from portal.web.state import change, write


@bp.get("")
@requires("jobs.view")
def index() -> str:
    """All jobs."""
    jobs = list_jobs(g.read)
    is_busy = any(view.is_running for view in jobs)
    return render_partial(
        "jobs/index.html", "jobs/_list.html", jobs=jobs, is_busy=is_busy or _was_asked(), may_edit=may("jobs.edit")
    )


@bp.get("/<name>")
@requires("jobs.view")
def show(name: str) -> str:
    """One job, its runs, and how to change it."""
    view, runs = _load(name)
    form = JobForm()
    form.fill(view)
    return _page(view, runs, form)


@bp.post("/<name>")
@requires("jobs.edit")
def edit(name: str) -> Response | tuple[str, int]:
    """Change how often it runs, and whether. Acts at the next look of the worker."""
    view, runs = _load(name)
    form = JobForm()
    if not form.validate():
        return _page(view, runs, form), 422
    try:
        with write() as uow:
            edit_job(uow, name, interval_s=form.interval_s, is_enabled=form.is_enabled.data, change=change())
    except DomainError as error:
        form.number.errors = [str(error)]
        return _page(view, runs, form), 422
    return saved(url_for("jobs.show", name=name), f"“{view.job.title}” is changed.")


@bp.post("/<name>/run")
@requires("jobs.edit")
def run(name: str) -> Response | str:
    """Have it run at once."""
    view, _ = _load(name)
    with write() as uow:
        run_job_now(uow, name, change=change())
    if wants_partial():
        return index()
    flash(f"“{view.job.title}” runs now.", "good")
    return saved(local_path(request.form.get("next"), url_for("jobs.index")))


def _was_asked() -> bool:
    """After "Run now" the worker needs a moment; the list looks again until it has begun or ended."""
    return request.method == "POST"


def _load(name: str) -> tuple[JobView, list[RunView]]:
    try:
        return load_job(g.read, name)
    except DomainError:
        abort(404)


def _page(view: JobView, runs: list[RunView], form: JobForm) -> str:
    return render_partial(
        "jobs/show.html", "jobs/_runs.html", view=view, runs=runs, form=form, may_edit=may("jobs.edit")
    )
