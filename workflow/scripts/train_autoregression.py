"""Fit AR(1) to AR(max_order) by least squares, keep the one that is best on valid, and forecast test with it."""

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
    orders = try_orders(prepared.scaled, prepared.learnt, prepared.splits["valid"], highest)
    order = int(orders.loc[orders["chosen"], "order"].iloc[0])
    model = Autoregression.fit(prepared.scaled[slice(*prepared.learnt)], order)
    seconds = round(time.perf_counter() - began, 3)
    enough = sufficient_order(orders)
    told = "every lower order is worse" if order == enough else f"it is tied with {enough}"
    notes = [f"tau is {order}; on valid {told}."]
    if order == highest:
        notes.append(f"the best order on valid is the highest tried; raise forecast.max_order above {highest}")
    if model.deviation == 0:
        notes.append("the fit is perfect: its forecasts are points, which have no density, so that there is no nll")
    model.save(folder / "model.json")
    write_table(folder / "orders.csv", orders)
    training = {"seconds": seconds, "parameters": model.parameters, "notes": notes}
    write_json(folder / "training.json", training)
    scoring.record_forecasts(Autoregression.load(folder / "model.json"), training, order=order)


if __name__ == "__main__":
    main()
