import time

print("I am about to sleep")
for second in range(600):
    time.sleep(1)
    print(second, flush=True)
