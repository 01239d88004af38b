"""Raising ``KeyboardInterrupt`` in the main thread, as Ctrl-C does."""

import signal
import threading


def interrupt_main_thread() -> None:
    """Have the main thread see a ``KeyboardInterrupt`` as soon as it can.

    A real SIGINT also wakes it from a sleep or a read, which ``_thread.interrupt_main`` does not.
    Where SIGINT is ignored, as in a shell's background jobs, the exception is set directly, and
    seen when the main thread next runs Python code.
    """
    main = threading.main_thread().ident
    if main is None or not threading.main_thread().is_alive():
        return
    if callable(signal.getsignal(signal.SIGINT)):
        signal.pthread_kill(main, signal.SIGINT)
    else:
        import ctypes  # noqa: PLC0415  (seldom needed, and slow to import)

        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(main), ctypes.py_object(KeyboardInterrupt)
        )
