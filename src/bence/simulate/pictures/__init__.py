"""Pictures and pages of virtual patients: one course, a trial, strategies side by side, a twin, the calibration, what an outcome hangs on.

Needs Jinja2 and Matplotlib: `pip install "bence[report]"`. Every picture says that it is synthetic.
"""
