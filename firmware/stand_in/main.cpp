// Runs the sketch for SECONDS and two more; a listener is there from the first second to the last but one.
#include "imuface.ino"

int main()
{
    setup();
    while (now < 1e6 * (2 + setting("SECONDS")))
        loop();
    printf("%.0f taken %u\n", now, taken);
}
