"""Ids of every component that a callback, the clientside script or a test reaches: ``<page>-<thing>``."""

from __future__ import annotations

from typing import Final

MAIN: Final = "main"
SHELL_THEME: Final = "shell-theme"

MONITOR_CLOCK: Final = "monitor-clock"
MONITOR_VIEW: Final = "monitor-view"
MONITOR_REQUEST: Final = "monitor-request"
MONITOR_ANSWER: Final = "monitor-answer"
MONITOR_CATALOGUE: Final = "monitor-catalogue"
STORES: Final = (MONITOR_VIEW, MONITOR_REQUEST, MONITOR_ANSWER, MONITOR_CATALOGUE)

MONITOR_SOURCE: Final = "monitor-source"
MONITOR_MODEL: Final = "monitor-model"
MONITOR_SERVER: Final = "monitor-server"
MONITOR_COPY_LINK: Final = "monitor-copy-link"

MONITOR_PLAY: Final = "monitor-play"
MONITOR_RESTART: Final = "monitor-restart"
MONITOR_BACK: Final = "monitor-back"
MONITOR_FORWARD: Final = "monitor-forward"
MONITOR_END: Final = "monitor-end"
MONITOR_SPEED: Final = "monitor-speed"
MONITOR_SCRUBBER: Final = "monitor-scrubber"
MONITOR_PHASES: Final = "monitor-phases"
MONITOR_JUMP: Final = "monitor-jump"
MONITOR_TIME: Final = "monitor-time"

MONITOR_STATUS: Final = "monitor-status"
MONITOR_AGE: Final = "monitor-age"
MONITOR_SIMULATED: Final = "monitor-simulated"
MONITOR_MODEL_NOTE: Final = "monitor-model-note"
MONITOR_BANNER: Final = "monitor-banner"
MONITOR_NOTICES: Final = "monitor-notices"
MONITOR_SUMMARY: Final = "monitor-summary"

MONITOR_KPI: Final = "monitor-kpi"
MONITOR_TOP: Final = "monitor-top"
MONITOR_TREND: Final = "monitor-trend"
MONITOR_HEATMAP: Final = "monitor-heatmap"
MONITOR_ROLLING: Final = "monitor-rolling"

MONITOR_SERVER_PANEL: Final = "monitor-server-panel"
MONITOR_SERVER_FIGURE: Final = "monitor-server-figure"
MONITOR_SERVER_TITLE: Final = "monitor-server-title"
MONITOR_SERVER_MODEL: Final = "monitor-server-model"
MONITOR_SERVER_FACTS: Final = "monitor-server-facts"
MONITOR_SERVER_DRIVERS: Final = "monitor-server-drivers"
MONITOR_SERVER_CLOSE: Final = "monitor-server-close"

KPI_HEALTH: Final = "kpi-health"
KPI_HEALTH_WORD: Final = "kpi-health-word"
KPI_HEALTH_NOTE: Final = "kpi-health-note"
KPI_PHASE: Final = "kpi-phase"
KPI_PHASE_NOTE: Final = "kpi-phase-note"
KPI_PROB_30M: Final = "kpi-prob-30m"
KPI_PROB_30M_NOTE: Final = "kpi-prob-30m-note"
KPI_PROB_8H: Final = "kpi-prob-8h"
KPI_PROB_8H_NOTE: Final = "kpi-prob-8h-note"
KPI_SERVERS: Final = "kpi-servers"
KPI_SERVERS_NOTE: Final = "kpi-servers-note"
KPI_PROGRESS: Final = "kpi-progress"
KPI_PROGRESS_NOTE: Final = "kpi-progress-note"
KPI_PROGRESS_BAR: Final = "kpi-progress-bar"
