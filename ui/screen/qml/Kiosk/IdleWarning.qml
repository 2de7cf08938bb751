pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

// Before anything of the guest is cleared, the kiosk asks, and shows how long it waits.
Rectangle {
    id: root

    required property FrameViewModel frame

    color: Theme.paper
    visible: frame.idleHeading !== ""

    Loader {
        active: root.visible
        anchors.fill: parent
        anchors.topMargin: Theme.panelHeight / 8

        sourceComponent: Page {
            heading: root.frame.idleHeading
            headingSize: Theme.title
            lead: root.frame.idleLead
            pictureHeight: Theme.panelHeight * 0.3

            picture: Rectangle {
                anchors.horizontalCenter: parent ? parent.horizontalCenter : undefined
                border.color: Theme.accent
                border.width: Theme.stroke
                color: Theme.accentSoft
                height: parent ? parent.height : 0
                radius: height / 2
                width: height

                Words {
                    anchors.centerIn: parent
                    color: Theme.accent
                    font.pixelSize: Theme.room
                    objectName: "secondsLeft"
                    silent: true
                    strong: true
                    text: root.frame.idleLeft
                }
            }

            BigButton {
                anchors.bottom: parent.bottom
                anchors.bottomMargin: Theme.button
                height: Math.max(implicitHeight, Theme.button * 2)
                hint: root.frame.idleStayOther
                label: root.frame.idleStay
                large: true
                main: true
                objectName: "stillHereButton"
                width: parent.width

                onTapped: root.frame.stay()
            }
        }
    }
}
