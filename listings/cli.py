"""`flask --app wsgi search …`: the index is a derived copy, and these look after it."""

from pathlib import Path

import click
from flask.cli import AppGroup

from listings import indexing
from listings.index import index
from marketplace.core.settings import settings
from search_index import Query, open_index
from search_index.evaluation import evaluate, read_judgements

search = AppGroup("search", help="The search index: a derived copy that can be thrown away.")


@search.command("rebuild")
def rebuild() -> None:
    """Write the index anew beside the old one, which answers until the new one is whole."""
    indexing.rebuild(lambda done: click.echo(f"\r  {done} listings", nl=False, err=True))
    click.echo(f"\r{index().search(Query(per_page=1)).total} listings can be found.")


@search.command("check")
def check() -> None:
    """Read through the index; exit 1 if it needs a rebuild."""
    state = open_index(settings().search_folder).check()
    figures = f"{state.documents} listings, {state.segments} segments, {state.bytes_on_disk} bytes"
    click.echo(state.needs_rebuild or f"In order: {figures}.")
    raise SystemExit(bool(state.needs_rebuild))


@search.command("evaluate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def evaluate_file(file: Path) -> None:
    """nDCG@10 of a CSV of judgements (query_id, query, query_type, product_id, grade), the worst queries first."""
    found = evaluate(read_judgements(file), lambda text: index().search(Query(text=text)).codes)
    for score in found.scores:
        click.echo(f"{score.ndcg:.4f}  {score.query_id}  {score.kind:<16} {score.text}")
    for kind, mean in found.by_kind.items():
        click.echo(f"{mean:.4f}  all of {kind}")
    click.echo(f"nDCG@10 {found.mean:.4f}, mean of {len(found.scores)} queries")
