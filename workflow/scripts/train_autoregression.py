"""Fit AR(1) to AR(max_order) by least squares and forecast test with the best one on validation."""

import argparse
import time

from seqlab.io.errors import command
from seqlab.io.files import write_json
from seqlab.io.tables import write_table
from seqlab.series.autoregression import Autoregression, sufficient_order, try_orders
from seqlab.series.scoring import Scoring


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    Scoring.add_arguments(parser)
    scoring = Scoring.begin(parser.parse_args(), "max_order")
    card, prepared, folder = scoring.card, scoring.prepared, scoring.folder
    highest = card["settings"]["max_order"]
    began = time.perf_counter()
    ranges, scored = (prepared.learnt, prepared.splits["valid"]), len(prepared.columns)
    orders = try_orders(prepared.scaled, *ranges, highest, scored)
    order = int(orders.loc[orders["chosen"], "order"].iloc[0])
    model = Autoregression.fit(prepared.scaled[slice(*prepared.learnt)], order)
    seconds = round(time.perf_counter() - began, 3)
    enough = sufficient_order(orders)
    rival = "every lower order is worse" if order == enough else f"it is tied with {enough}"
    notes = [f"tau is {order}; on valid {rival}."]
    if order == highest:
        notes.append(f"the best order on valid is the highest tried; raise forecast.max_order above {highest}")
    if not model.deviation[:scored].all():
        notes.append("the fit is perfect, so its forecasts are points without density and without nll")
    model.save(folder / "model.json")
    write_table(folder / "orders.csv", orders)
    training = {"seconds": seconds, "parameters": model.parameters, "notes": notes}
    write_json(folder / "training.json", training)
    scoring.record_forecasts(Autoregression.load(folder / "model.json"), training, order=order)


if __name__ == "__main__":
    main()
