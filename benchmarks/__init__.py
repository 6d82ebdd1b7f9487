# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Sallyport takes, side by side with what people do without it, on equal hosts in one run."""
