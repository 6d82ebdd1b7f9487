# SPDX-License-Identifier: GPL-3.0-or-later
"""The long campaigns: what no single test shows, because it takes many of something at once (see tools/torture)."""
