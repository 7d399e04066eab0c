"""Words that masking must know beforehand, because notes cannot tell: given names, and the words of city work.

A note tells an ordinary word from a name by how it is written elsewhere. That fails for words that formulas always
write with a capital (*Case Resolved*), which `ORDINARY` keeps, and for given names written small, which `GIVEN` masks.
Names that are words too (*Mark*, *Will*) are in `BOTH`: they are names where a name stands beside them.
"""

from __future__ import annotations

__all__ = ["BOTH", "GIVEN", "ORDINARY"]

GIVEN = frozenset(
    """
    aaron abigail adam adrian al alan albert alejandro alex alexander alexandra alexis alfred alice alicia allen
    allison alma amanda amber amy ana andre andrea andrew andy angel angela angelica anita ann anna anne annette
    annie anthony antonio arlene arnold arthur ashley audrey barbara beatrice becky ben benjamin bernard bernice
    bertha beth betty beverly billy bob bobby bonnie brad bradley brandon brandy brenda brendan brent brett
    brian bridget bruce bryan byron caleb calvin cameron carl carla carlos carmen carol carole caroline carolyn
    carrie catherine cathy cecilia chad charlene charles charlie charlotte cheryl chester chloe chris christian
    christina christine christopher cindy claire clara clarence claude clayton clifford clinton connie corey
    courtney craig cristina crystal curtis cynthia daisy dan dana daniel danielle danny darlene darrell darren
    dave david deanna debbie deborah debra denise dennis derek derrick diana diane dolores dominic don donald
    donna doris dorothy doug douglas dustin dylan earl eddie edgar edith edna eduardo edward edwin eileen elaine
    elena eli elizabeth ella ellen elsie emily emma eric erica erik erin ernest esther ethan ethel eugene eva
    evan evelyn felicia felix fernando florence francis francisco franklin fred freddie frederick gabriel gail
    gary george georgia gerald geraldine gilbert gina gladys glenda gloria gordon greg gregory guy gwendolyn
    hannah harold harriet harry harvey hazel hector heidi helen henry herbert herman holly howard hugh ian ida
    ignacio inez irene isaac isabel jackie jackson jacob jacqueline jaime jake james jamie jan jane janet janice
    jared jasmine jason javier jay jean jeanette jeff jeffery jeffrey jen jennifer jenny jeremy jerome jerry
    jesse jessica jessie jesus jill jim jimmy jo joan joann joanne jodi joe joel joey john johnny jon jonathan
    jordan jorge jose joseph josephine joshua joyce juan juanita judith judy julia julian julie julio justin
    karen karl katherine kathleen kathryn kathy katie kayla keith kelly ken kenneth kenny kent kevin kim
    kimberly kristen kristin kristina kurt kyle larry latoya laura lauren laurie lawrence leah lee leo leon
    leonard leroy leslie lester lewis lillian linda lindsay lisa lloyd logan lois lonnie loretta lori lorraine
    louis louise lucas lucille lucy luis luke lydia lynn mabel madison marc marcia marcus margaret margarita
    maria marian marie marilyn mario marion marisol marjorie marlene marsha marshall martha martin marvin mary
    mathew matt matthew maureen maurice max maxine megan melanie melinda melissa melvin mercedes mia michael
    michele michelle miguel mike mildred milton minnie miriam mitchell molly monica morris myrtle nancy naomi
    natalie natasha nathan nathaniel neil nelson nicholas nick nicolas nicole nina noah nora norma norman olga
    olivia omar oscar pam pamela patricia patrick patty paul paula pauline pedro peggy perry pete peter phil
    philip phillip phyllis rachel rafael ralph ramon ramona randall randy raul raymond rebecca regina rene renee
    rhonda ricardo richard rick ricky rita robert roberto rodney roger roland ron ronald ronnie rosa rosemary
    ross roy ruben russell ruth ryan sabrina sally salvador sam samantha samuel sandra sandy sara sarah scott
    sean sergio seth shane shannon sharon shaun shawn sheila shelly sherri sherry sheryl shirley sidney sofia
    sonia sophia stacey stacy stan stanley stella stephanie stephen steve steven stuart susan suzanne sylvia
    tamara tammy tanya tara taylor ted teresa terrance terrence terri terry thelma theodore theresa thomas
    tiffany tim timothy tina todd tom tommy toni tony tonya tracey tracy travis trevor troy tyler tyra tyrone
    valerie vanessa vera vernon veronica vicki vickie victor victoria vincent virginia vivian wallace walter
    wanda warren wayne wendy wesley william willie yolanda yvette yvonne zachary zoe
    """.split()  # noqa: SIM905
)

BOTH = frozenset(
    """
    april art august autumn basil bill brook carter chase chip chuck clay cliff cooper crane dale dawn dean dick
    drew faith field fields forest frank gene glen grace grant grove gus hall heather hill hope hunter iris ivy
    jack jade joy june king knight lance lane major mark mason may miles miller olive parker pat pearl penny
    pierce porter price ray rich rob robin rocky rose ruby rusty sandy skip stone sue summer terrace wade wells
    west will willow wood woods woody young
    """.split()  # noqa: SIM905
)

ORDINARY = frozenset(
    """
    a abandoned about above access action active ada adclsd address adjusted administratively agencies agency
    ago all already am an and animal another any apartment appointment appropriate approved april apt are area
    as asap asphalt assigned associated at august automation available ave avenue back bags barrel barrels base
    basin basis basket be because been before being below bench bicycle bike bin bins board both box branch
    brick bricks bridge broken building bulk business but by call called caller can cannot canvassed car cart
    carts case cases catch cause cell center change changed checked city civil cleaned cleaning clear cleared
    closed code collected collection commercial commission community complete completed compliance concrete
    condition connect constituent construction contact contacted contractor control coordination corner corr
    correct corrected could cover created creation crew crews crosswalk curb customer damaged date day days dead
    dear debris december defect deliver delivered delivery department dept description details device did
    director district division does done drain driver drop due dumped duplicate during east electric emailed
    emergency employee emptied empty enforcement engineer engineering entered entry error existing external
    failed fall february field filed fill filled fire fixed fixture floor flushed follow for form forward
    forwarded found frame friday from full furniture garbage gas give gone graffiti granted ground had handled
    has have he hello her here hi highway him his home hours house household housing how hydrant i if illegal in
    incorrect information inspected inspection inspector inspectors installed insufficient internal into invalid
    investigated is issue issued issues it item items january job july june just lamp landlord left letter light
    lighting lights limb line list lit litter located location locked log looked made mailbox maintenance
    management manager march mark marked mattress mattresses may mayor me meter missed missing monday month
    months more moved must my name needed needs never new news next no noacc nobase none north not note noted
    notes nothing notice notified november novio now number observed occupant october of off office officer ok
    old on one only open opened operational or order ordered other our out over overflowing owner painted park
    parking parks passed patch patched paved pavement pending performed permanent permis permission permit
    permits person phone pick picked pickup place placed please plowed pole police posted pothole power
    previously prior private problem process processed property provided pruned pruning public put question
    reason received recorded recycling redirected refer reference referred reinsp reinspect remove removed
    repainted repair repaired repairs replace replaced report reported reports request requested requests reset
    resident resolved response restored returned roa road route rubbish said salted sanitation saturday schedule
    scheduled section see senior sent september serial service services set several sewer she should sidewalk
    sign signal signed signs since sincerely site six smelling snow so some someone south space specifications
    spoke spring st standard state status sticker stickers still stop stopped street streets submitted such
    sunday supervisor swapped sweep system tagged taken team tenant test tested testing tfa thank thanks that
    the their them then there these they this those thursday ticket ticketed time timing timings to today tow
    towed traffic transferred transportation trash treated tree trees tsop tuesday unable under unfortunately
    unfounded unit unresolved until up us use used utility valid vehicle vehicles verified very via viocor
    vioiss violation violations violfnd visited walkways wall was washed waste water we wednesday week weekend
    weeks well went were west what when where which while white who will window wire with within without work
    worked working works would wrong yard yellow yes yesterday you your
    """.split()  # noqa: SIM905
)
