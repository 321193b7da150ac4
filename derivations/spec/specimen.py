"""The specs that ``derivations new`` writes: complete, commented, ready to build."""

SPECIMEN = """\
# A worked example. Build it with: derivations build THIS-FILE
# Decimals mean what is written: 0.01 is exactly 1/100.
title = "My worked example"

[model]
# One equation a line, from the data to the loss; the last one is the loss.
# + - * / **, sum(..., i), mean(..., i), count(i), exp, log, sqrt, tanh, sigmoid, relu, abs.
equations = \"\"\"
yhat[i] = w*x[i] + b
L = mean((yhat[i] - y[i])**2, i)
\"\"\"

[data]
# Lists, expressions in earlier data, or a column of a CSV file beside this spec:
# x = { csv = "houses.csv", column = "size" }
x = [1, 2, 3, 4]
y = "3*x - 1"

[parameters]
# What is learnt, with start values.
w = 0
b = 0

[training]
optimizer = { name = "SGD", lr = 0.1 }   # momentum = 0.9, weight_decay = 0.01, nesterov = true …
batch_size = 2          # leave out to use all samples in every step
epochs = 1
# clip = { norm = 1 }   # or { value = 1 }
# schedule = { name = "StepLR", step_size = 1, gamma = 0.5 }   # every = "step" or "epoch"
# start = { t = 5, v = 0.2 }   # go on at step 5 with a given state
# shuffle = 1           # shuffle before every epoch, with this seed
# batches = [[1, 3], [2, 4]]   # or list the samples of each batch
# carry = 4             # round every intermediate value, as with a pocket calculator

[page]
digits = 6              # decimal places that are printed; or: significant = 4
# detail = "brief"      # results, and the working of loss, gradients and update; "full": every rule
# steps = [1, 2]        # the steps that are shown; or the first few and the last: steps = 3
# hide = ["program"]    # parts that are left out; or: show = ["steps"]
"""

EXERCISE = """
[exercise]
# Make a bank of it with: derivations exercise THIS-FILE --format md,pdf,moodle --output bank
# What varies, each over values or from … to …; an array entry by entry, or over whole arrays.
vary = { w = { from = -2, to = 2, step = 0.5 }, b = [0, 1, 2], x = [1, 2, 3, 4], lr = [0.1, 0.05] }
count = 10              # how many variants
seed = 1                # which ones: the same seed gives the same bank
steps = 1               # how many steps are worked and asked
decimals = 4            # no value on the way has more decimal places
# ask = ["dL/dw", "w'"]   # what is asked; the gradients and the new parameters if left out
# places = 3            # to how many places answers are asked that do not end
# slips = ["factor-2-forgotten"]   # the mistakes that are recognized; all if left out
"""
