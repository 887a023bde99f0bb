"""What is known of tasks follows what is heard of them."""

from cloudsim.experiment.tasks import Tasks


def heard() -> Tasks:
    tasks = Tasks()
    tasks.expect(3, (1000, 4000))
    tasks.begin(3, (0, 1), 2.0)
    return tasks


def test_tasks_are_left_until_they_are_done() -> None:
    tasks = heard()
    assert tasks.left(3) == 2 and tasks.left(0) == 0
    tasks.finish(3, 0, 4.0)
    assert tasks.left(3) == 1
    tasks.finish(3, 1, 7.0)
    assert tasks.left(3) == 0
    assert tasks.figures() == {
        "tasks": 2,
        "finished": 2,
        "begun_again": 0,
        "mean_finish_s": 5.5,
        "makespan_s": 7.0,
        "mean_slowdown": (2.0 + 1.25) / 2,
    }


def test_a_task_that_is_lost_after_it_was_done_is_done_no_more() -> None:
    tasks = heard()
    tasks.finish(3, 0, 4.0)
    tasks.begin(3, (0, 1), 5.0)
    assert tasks.left(3) == 2 and tasks.begun_again == 2
    assert tasks.began == [2.0, 2.0] and tasks.finished == [None, None]


def test_a_task_that_ends_again_ended_the_last_time() -> None:
    tasks = heard()
    tasks.finish(3, 0, 4.0)
    tasks.finish(3, 0, 9.0)
    assert tasks.left(3) == 1 and tasks.finished == [9.0, None]


def test_work_that_no_request_brought_is_not_counted() -> None:
    tasks = heard()
    tasks.begin(8, (0,), 1.0)
    tasks.finish(8, 0, 2.0)
    assert len(tasks) == 2 and tasks.figures()["finished"] == 0
    assert tasks.figures()["mean_finish_s"] is None
