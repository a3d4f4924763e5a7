"""Requests at twice what the API can serve, while a folder receives photos -> what they get, how long they wait, what the folder
keeps, and the daemon's memory. Needs no package but Python's own.
"""

import asyncio
import collections
import os
import shutil
import statistics
import sys
import time

import hotcut

WORK = hotcut.ROOT / ".bench/http"
PHOTO = hotcut.ROOT / "src/command/demo/cat.jpg"
ALONE_S, LOAD_S, SETTLE_IN_S = 20, 60, 10
# Files of the folder that wait at any time.
BACKLOG = 30
# A request that is taken may wait for as many photos before it as the queue has places for each worker; both sides wait in turn.
PLACES_PER_WORKER = 8
# The daemon's own process may grow by so much between the tenth second and the last.
GROWTH_MAX_MIB = 8
# What the folder must keep of what it does alone: with two workers one is its own, and server and sender take their part of both.
SHARE_MIN = 0.33


class Folder:
    """A hot folder that never runs dry, with the number of its cutouts."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.photo = PHOTO.read_bytes()
        self.dropped = 0

    def done(self):
        return sum(not entry.name.startswith(".") for entry in os.scandir(self.daemon.output))

    def fill(self):
        done = self.done()
        while self.dropped - done < BACKLOG:
            temp = self.daemon.input / f".{self.dropped}.part"
            temp.write_bytes(self.photo)
            temp.rename(self.daemon.input / f"{self.dropped:06}.jpg")
            self.dropped += 1


async def request(port, photo):
    """Returns status and seconds of one request."""
    start_s = time.monotonic()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /remove-background HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {len(photo)}\r\n\r\n"
        writer.write(head.encode() + photo)
        answer = await reader.read()
        writer.close()
        status = int(answer[9:12]) if answer[:5] == b"HTTP/" else 0
    except OSError as error:
        status = str(error)
    return status, time.monotonic() - start_s


async def keep_full(folder, until_s):
    while time.monotonic() < until_s:
        folder.fill()
        await asyncio.sleep(0.2)


async def folder_alone(folder):
    """Photos a second."""
    folder.fill()
    until_s = time.monotonic() + SETTLE_IN_S
    await keep_full(folder, until_s)
    done, start_s = folder.done(), time.monotonic()
    await keep_full(folder, start_s + ALONE_S)
    return (folder.done() - done) / (time.monotonic() - start_s)


async def api_alone(port, photo, workers):
    """Requests a second, with enough of them under way for every worker."""
    until_s = time.monotonic() + ALONE_S
    count = 0

    async def client():
        nonlocal count
        while time.monotonic() < until_s:
            status, _ = await request(port, photo)
            if status != 200:
                sys.exit(f"a request without any load got {status}: see {WORK}")
            count += 1

    start_s = time.monotonic()
    await asyncio.gather(*(client() for _ in range(2 * workers)))
    return count / (time.monotonic() - start_s)


async def load(port, photo, folder, rate, pid):
    """Returns statuses with their seconds, the folder's photos a second, and the memory in MiB at the tenth second and last."""
    start_s = time.monotonic()
    filling = asyncio.create_task(keep_full(folder, start_s + LOAD_S))
    requests, index, early_mib, done = [], 0, 0.0, folder.done()
    while (now_s := time.monotonic()) < start_s + LOAD_S:
        if index <= (now_s - start_s) * rate:
            requests.append(asyncio.create_task(request(port, photo)))
            index += 1
        else:
            await asyncio.sleep(0.005)
        if not early_mib and now_s > start_s + SETTLE_IN_S:
            early_mib = hotcut.status_mib(pid, "VmRSS")
    kept = (folder.done() - done) / (time.monotonic() - start_s)
    late_mib = hotcut.status_mib(pid, "VmRSS")
    await filling
    return await asyncio.gather(*requests), kept, (early_mib, late_mib)


def configure(folder):
    hotcut.configure(folder, "student")
    with (folder / "hotcut.toml").open("a") as config:
        config.write('[http]\nlisten = "127.0.0.1:0"\nphotos_per_minute = 1000000\n')


def port_of(folder):
    for line in (folder / "log").read_text().splitlines():
        if "http: listening" in line:
            return int(line.rpartition(":")[2])
    sys.exit(f"hotcut does not listen: see {folder}/log")


async def measure(daemon, folder_path):
    port, photo, workers = port_of(folder_path), PHOTO.read_bytes(), os.cpu_count()
    folder = Folder(daemon)
    capacity = await api_alone(port, photo, workers)
    alone = await folder_alone(folder)
    print(f"alone: {capacity:.1f} requests a second, {alone:.1f} photos of the folder a second", flush=True)
    answers, kept, memory = await load(port, photo, folder, 2 * capacity, daemon.pid)
    return capacity, alone, answers, kept, memory


def main():
    if not hotcut.PROGRAM.is_file():
        sys.exit(f"{hotcut.PROGRAM} is not built: run make build")
    shutil.rmtree(WORK, ignore_errors=True)
    configure(WORK)
    with hotcut.serving(WORK) as daemon:
        capacity, alone, answers, kept, (early_mib, late_mib) = asyncio.run(measure(daemon, WORK))
    statuses = collections.Counter(status for status, _ in answers)
    taken = sorted(seconds for status, seconds in answers if status == 200)
    p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[-1]
    # Places and photo times of both sides in turn, and as much again for chance.
    bound = 2 * 2 * PLACES_PER_WORKER * os.cpu_count() / capacity
    print(f"| {LOAD_S} s of {2 * capacity:.1f} requests a second, beside a full folder | |\n|---|---|")
    print(f"| answered 200 / 503 / 429 / otherwise | {statuses[200]} / {statuses[503]} / {statuses[429]} / "
          f"{len(answers) - statuses[200] - statuses[503] - statuses[429]} |")
    print(f"| time of a request that was taken, median and 99th percentile | {p50:.1f} s, {p99:.1f} s |")
    print(f"| photos of the folder a second, of those without requests | {kept:.1f} of {alone:.1f} ({kept / alone:.0%}) |")
    print(f"| memory of the daemon's process, after 10 s and at the end | {early_mib:.0f}, {late_mib:.0f} MiB |")
    faults = []
    if set(statuses) - {200, 429, 503}:
        faults.append(f"other answers: {dict(statuses)}")
    if p99 > bound:
        faults.append(f"the 99th percentile is beyond {bound:.1f} s")
    if kept < SHARE_MIN * alone:
        faults.append("the folder did not keep its share")
    if late_mib - early_mib > GROWTH_MAX_MIB:
        faults.append("the daemon's process grew")
    if faults:
        sys.exit("; ".join(faults))


if __name__ == "__main__":
    main()
