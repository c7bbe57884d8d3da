"""Live fleets: samples in, ticks out. What is here decides what a tick is; the collector decides when.

The rules, which every part keeps:

- A source has an **origin**, fixed when it is first collected, and a step. Tick ``t`` stands at ``origin + t · step``
  and for the samples of the step that ends there: later than tick ``t − 1``, up to and including its own time.
- Of the samples of one server in one tick, the newest value of each metric counts; of two at the same instant, the
  higher. So the order in which samples arrive, and how they are split into deliveries, changes nothing.
- A tick is **closed** when the clock is past its time by the source's ``delay``. Closed ticks are recorded strictly in
  order, each exactly once, as issued, and never changed. A sample that comes for a closed tick is **late**: it is
  counted and dropped. One that is more than a step ahead of the clock is from the **future**: counted and dropped.
  A sample that repeats the server and instant of another is a **duplicate**: counted.
- A tick in which no server reported is recorded like any other once the source has answered for it. While a source
  does not answer nothing is recorded; when it is back, the ticks that it still has samples of are recorded in order,
  each with the instant at which it was issued.
- A server that appears joins the **roster**, and is known from then on; one that says nothing stays in it, without
  data, until it was silent for ``forget`` hours. One that is renamed is a server that falls silent and another that
  appears.
- The clock is the source's own where it tells it, else the store's. One that jumps is not followed for a minute:
  see :mod:`tft_dash.live.clock`.
"""
