"""The grader: judges an attempt folder, and nothing else.

`grader.grade.grade` marks evidence against a scenario; `grader.checks` names the checks; `grader.verdict.Verdict` is what
comes out. A live check, the final mark and a later regrade are the same code on the same files.
"""
