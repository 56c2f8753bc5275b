"""One step of the program by its own clock, without starting it: ``alone.py read URL``, ``alone.py issue HOME``."""

import json
import sys
import time
from pathlib import Path

from credly_cli.cli.environment import Environment
from credly_cli.connection import connect
from credly_cli.issuing import plan as planning
from credly_cli.issuing import send
from credly_cli.output import Output
from credly_cli.store.database import Store
from credly_cli.times import utc_text
from credly_cli.token import Token, TokenSource

from benchmarks import world


def read(url: str) -> dict[str, float]:
    """Read all templates as a sync does, without storing them."""
    environment = Environment(Output(), environ={})
    client = connect.client_for(
        f"{url}/v1",
        TokenSource("environment"),
        Token(world.TOKEN),
        environment.network(),
        environment.settings,
        world.ORGANIZATION,
    )
    started = time.perf_counter()
    listing = client.badges()
    return {"seconds": time.perf_counter() - started, "rows": len(listing.rows)}


def issue(home: str) -> dict[str, float]:
    """Plan and issue all that is due, as a sync does."""
    environment = Environment(Output(), environ={"CREDLY_HOME": home})
    with Store.open(Path(home) / "credly.db") as store:
        _, client = connect.connected_client(store, environment.settings, environment.network())
        started = time.perf_counter()
        plan = planning.plan(store, world.ORGANIZATION, None, utc_text(environment.clock.now()))
        planned = time.perf_counter()
        options = send.SendOptions(run_id=None, parallel=environment.settings.credly.parallel)
        sent = send.send(store, client, environment.clock, options)
        ended = time.perf_counter()
    return {"plan": planned - started, "seconds": ended - planned, "planned": plan.planned, "issued": sent.issued}


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"read": read, "issue": issue}[sys.argv[1]](sys.argv[2])))
