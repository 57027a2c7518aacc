"""How the course is published.

=============  ==================================================================
room           what it holds
=============  ==================================================================
``address``    where the course lives, and how a fork re-points every link
``rendering``  a notebook's cells and outputs as HTML that keeps figures' words
``pages``      the course as static pages, with search
``deck``       a lesson as slides with speaker notes
``fitting``    how much of a lesson fits on a slide
=============  ==================================================================
"""
