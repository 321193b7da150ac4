"""Schedules of the learning rate. One row is one formula for ``lr_t`` and torch's scheduler for it.

``lr`` is the optimizer's learning rate and ``s`` the number of steps, or of epochs, that are behind.
"""

from __future__ import annotations

from derivations.catalogue.algorithm import Schedule
from derivations.catalogue.outside import with_outside

POSITIVE, NOT_NEGATIVE, FRACTION = (1, None), (0, None), (0, 1)
CYCLE = """
    cycle = floor(1 + s/(size_up + size_down))
    phase = 1 + s/(size_up + size_down) - cycle
    rise = size_up/(size_up + size_down)
    height = min(phase/rise, (1 - phase)/(1 - rise))
"""
CYCLIC = {"max_lr": None, "size_up": None, "size_down": None}
CYCLIC_ARGUMENTS = "base_lr={lr}, max_lr={max_lr}, step_size_up={size_up}, step_size_down={size_down}, "

SCHEDULES: tuple[Schedule, ...] = (
    Schedule(
        "StepLR",
        torch="torch.optim.lr_scheduler.StepLR",
        hyper={"step_size": None, "gamma": "0.1"},
        equations="lr_t = lr*gamma**floor(s/step_size)",
        arguments="step_size={step_size}, gamma={gamma}",
        convention="multiplied by gamma once every step_size",
        source="torch.optim.lr_scheduler.StepLR",
        whole=("step_size",),
        limits={"step_size": POSITIVE, "gamma": NOT_NEGATIVE},
    ),
    Schedule(
        "MultiStepLR",
        torch="torch.optim.lr_scheduler.MultiStepLR",
        hyper={"milestones": None, "gamma": "0.1"},
        equations="""
            passed = sum(step(s + 1 - milestones[k]), k)
            lr_t = lr*gamma**passed
        """,
        arguments="milestones={milestones}, gamma={gamma}",
        convention="multiplied by gamma at every milestone",
        source="torch.optim.lr_scheduler.MultiStepLR",
        lists=("milestones",),
        limits={"milestones": NOT_NEGATIVE, "gamma": NOT_NEGATIVE},
    ),
    Schedule(
        "ExponentialLR",
        torch="torch.optim.lr_scheduler.ExponentialLR",
        hyper={"gamma": None},
        equations="lr_t = lr*gamma**s",
        arguments="gamma={gamma}",
        convention="multiplied by gamma every time",
        source="torch.optim.lr_scheduler.ExponentialLR",
        limits={"gamma": NOT_NEGATIVE},
    ),
    Schedule(
        "CosineAnnealingLR",
        torch="torch.optim.lr_scheduler.CosineAnnealingLR",
        hyper={"T_max": None, "lr_min": "0"},
        equations="lr_t = lr_min + (lr - lr_min)*(1 + cospi(s/T_max))/2",
        arguments="T_max={T_max}, eta_min={lr_min}",
        convention="half a wave of the cosine down, without restarts; cospi(x) is the cosine of pi x",
        source="Loshchilov and Hutter 2017, equation 5",
        whole=("T_max",),
        limits={"T_max": POSITIVE, "lr_min": NOT_NEGATIVE},
    ),
    Schedule(
        "LinearLR",
        torch="torch.optim.lr_scheduler.LinearLR",
        hyper={"start_factor": "1/3", "end_factor": "1", "total_iters": "5"},
        equations="lr_t = lr*(start_factor + (end_factor - start_factor)*min(s, total_iters)/total_iters)",
        arguments="start_factor={start_factor}, end_factor={end_factor}, total_iters={total_iters}",
        convention="linear warm-up: from the first factor to the last, then constant",
        source="Goyal et al. 2017, section 2.2; torch.optim.lr_scheduler.LinearLR",
        whole=("total_iters",),
        limits={"total_iters": POSITIVE, "start_factor": NOT_NEGATIVE, "end_factor": NOT_NEGATIVE},
    ),
    Schedule(
        "PolynomialLR",
        torch="torch.optim.lr_scheduler.PolynomialLR",
        hyper={"total_iters": "5", "power": "1"},
        equations="lr_t = lr*(1 - min(s, total_iters)/total_iters)**power",
        arguments="total_iters={total_iters}, power={power}",
        convention="a power of what is left of the way, then 0",
        source="torch.optim.lr_scheduler.PolynomialLR",
        whole=("total_iters",),
        limits={"total_iters": POSITIVE, "power": NOT_NEGATIVE},
    ),
    Schedule(
        "OneCycleLR",
        torch="torch.optim.lr_scheduler.OneCycleLR",
        hyper={"total_steps": None, "pct_start": "0.3", "div_factor": "25", "final_div_factor": "10000"},
        equations="""
            peak = pct_start*total_steps - 1
            falling = step(s - peak)
            phase = (1 - falling)*s/peak + falling*(s - peak)/(total_steps - 1 - peak)
            lr_from = (1 - falling)*lr/div_factor + falling*lr
            lr_to = (1 - falling)*lr + falling*lr/(div_factor*final_div_factor)
            lr_t = lr_to + (lr_from - lr_to)*(1 + cospi(phase))/2
        """,
        arguments="max_lr={lr}, total_steps={total_steps}, pct_start={pct_start}, div_factor={div_factor}, "
        "final_div_factor={final_div_factor}, cycle_momentum=False",
        convention="the optimizer's learning rate is the peak; up and down along half waves of the cosine, "
        "cospi(x) of pi x; "
        "the momentum stays as it is",
        source="Smith and Topin 2018; torch.optim.lr_scheduler.OneCycleLR",
        every="step",
        whole=("total_steps",),
        limits={"total_steps": POSITIVE, "pct_start": FRACTION},
    ),
    Schedule(
        "CyclicLR",
        torch="torch.optim.lr_scheduler.CyclicLR",
        hyper=CYCLIC,
        equations=f"{CYCLE}\n    lr_t = lr + (max_lr - lr)*height",
        arguments=f"{CYCLIC_ARGUMENTS}cycle_momentum=False",
        convention="triangles between the optimizer's learning rate and max_lr; the momentum stays as it is",
        source="Smith 2017, section 3",
        every="step",
        limits={"size_up": POSITIVE, "size_down": POSITIVE, "max_lr": NOT_NEGATIVE},
        whole=("size_up", "size_down"),
    ),
    Schedule(
        "CyclicLR2",
        torch="torch.optim.lr_scheduler.CyclicLR",
        hyper=CYCLIC,
        equations=f"{CYCLE}\n    lr_t = lr + (max_lr - lr)*height/2**(cycle - 1)",
        arguments=f'{CYCLIC_ARGUMENTS}mode="triangular2", cycle_momentum=False',
        convention="triangles that are half as high every time; the momentum stays as it is",
        source="Smith 2017, section 3, triangular2",
        every="step",
        limits={"size_up": POSITIVE, "size_down": POSITIVE, "max_lr": NOT_NEGATIVE},
        whole=("size_up", "size_down"),
    ),
    Schedule(
        "CyclicLRExponential",
        torch="torch.optim.lr_scheduler.CyclicLR",
        hyper={**CYCLIC, "gamma": None},
        equations=f"{CYCLE}\n    lr_t = lr + (max_lr - lr)*height*gamma**s",
        arguments=f'{CYCLIC_ARGUMENTS}mode="exp_range", gamma={{gamma}}, cycle_momentum=False',
        convention="triangles whose height shrinks by gamma every time; the momentum stays as it is",
        source="Smith 2017, section 3, exp_range",
        every="step",
        limits={"size_up": POSITIVE, "size_down": POSITIVE, "max_lr": NOT_NEGATIVE, "gamma": NOT_NEGATIVE},
        whole=("size_up", "size_down"),
    ),
)
SCHEDULES = with_outside("schedules", SCHEDULES)
BY_NAME = {row.name: row for row in SCHEDULES}
