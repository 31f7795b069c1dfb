"""Fit AR(1) to AR(max_order) by least squares and keep the one that is best on valid."""

import argparse
import time
from pathlib import Path

from seqlab.cards import read_card
from seqlab.errors import command
from seqlab.files import write_json
from seqlab.forecast.autoregression import Autoregression, sufficient_order, try_orders
from seqlab.forecast.splits import read_prepared
from seqlab.report.tables import write_table


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("card", "table", "description"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the run")
    parser.add_argument("--folder", required=True, type=Path, help="the run's folder: model, orders, training")
    arguments = parser.parse_args()
    card = read_card(arguments.card, "forecast", table=arguments.table, description=arguments.description)
    highest = card["settings"]["max_order"]
    prepared = read_prepared(arguments.table, arguments.description)
    began = time.perf_counter()
    orders = try_orders(prepared.scaled, prepared.learnt, prepared.splits["valid"], highest)
    order = int(orders.loc[orders["chosen"], "order"].iloc[0])
    model = Autoregression.fit(prepared.scaled[slice(*prepared.learnt)], order)
    seconds = round(time.perf_counter() - began, 3)
    enough = sufficient_order(orders)
    told = "every lower order is worse" if order == enough else f"it can't be told from {enough}"
    notes = [f"tau is {order}; on valid {told}."]
    if order == highest:
        notes.append(f"the best order on valid is the highest tried; raise forecast.max_order above {highest}")
    if model.deviation == 0:
        notes.append("the fit is perfect: its forecasts are points, which have no density, so that there is no nll")
    model.save(arguments.folder / "model.json")
    write_table(arguments.folder / "orders.csv", orders)
    write_json(arguments.folder / "training.json",
               {"seconds": seconds, "parameters": model.parameters, "notes": notes})  # fmt: skip


if __name__ == "__main__":
    main()
